// Written aside, fsynced, renamed (POSIX).
#include "file/atomic_write.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "tbn/error.h"

namespace tbn {
namespace {

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

// What the user can do about a failed write.
std::string way_out(int error, const std::filesystem::path& path) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "free some space, or write to another disk";
    case EFBIG:
      return "raise the limit on file sizes (ulimit -f), or write to another disk";
    case EACCES:
    case EPERM:
    case EROFS:
      return "write to a folder where you may create files";
    case ENOENT:
    case ENOTDIR:
      return "create the folder '" + folder_of(path).string() + "' first";
    case EISDIR:
      return "this is a folder: name a file";
    case ENAMETOOLONG:
      return "choose a shorter file name";
    case ELOOP:
      return "this link leads nowhere: name a file";
    case ENXIO:
      return "this is a pipe that nobody reads, or a socket: name a file";
    default:
      return "write to another disk if it happens again";
  }
}

// Where links lead, whether something is there or not; `path` itself where they lead in a circle.
std::filesystem::path target_of(const std::filesystem::path& path) {
  constexpr int kMostLinks = 40;  // as the system has it
  std::filesystem::path target = path;
  std::error_code error;
  for (int links = 0; std::filesystem::is_symlink(target, error); ++links) {
    const std::filesystem::path next = std::filesystem::read_symlink(target, error);
    if (error || links == kMostLinks) return path;
    target = folder_of(target) / next;  // `next` alone where it is absolute
  }
  return target;
}

// Kinds of file systems and devices that have no such thing as is asked for say so with one of
// these.
bool is_unknown_here(int error) { return error == EINVAL || error == ENOTSUP || error == ENOSYS; }

}  // namespace

AtomicFile::AtomicFile(const std::filesystem::path& path) : path_(path), target_(path) {
  struct stat status {};
  replaces_ = ::stat(path.c_str(), &status) == 0;
  if (!replaces_ && errno == ELOOP) fail(ELOOP);
  if (replaces_ && S_ISDIR(status.st_mode)) fail(EISDIR);
  if (replaces_ && !S_ISREG(status.st_mode)) {
    replaces_ = false;
    open_through();
    return;
  }
  // A rename needs the folder's permission alone: ask for the file's as well.
  if (replaces_ && ::access(path.c_str(), W_OK) != 0) fail(errno);
  target_ = target_of(path);
  open_aside();
  // Keep the old file's permissions where that is allowed.
  if (replaces_ && ::fchmod(descriptor_, status.st_mode & 07777) != 0) errno = 0;
}

// To open a pipe that nobody reads would wait for ever; to write to one that is read may wait.
void AtomicFile::open_through() {
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor_ < 0) fail(errno);
  const int flags = ::fcntl(descriptor_, F_GETFL);
  if (flags < 0 || ::fcntl(descriptor_, F_SETFL, flags & ~O_NONBLOCK) != 0) fail(errno);
}

void AtomicFile::open_aside() {
  aside_ = target_;
  aside_ += ".tmp." + std::to_string(::getpid());
  // What lies there is left from a process of the same number that crashed; O_EXCL makes sure that
  // nobody's link is followed.
  ::unlink(aside_.c_str());
  descriptor_ = ::open(aside_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ >= 0) return;
  const int error = errno;
  aside_.clear();
  fail(error);
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::discard() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
  if (!aside_.empty()) ::unlink(aside_.c_str());
  aside_.clear();
}

void AtomicFile::fail(int error) {
  discard();
  throw SystemError("cannot write '" + path_.string() +
                    "': " + std::generic_category().message(error) + "; " +
                    way_out(error, target_) + (replaces_ ? " (the old file is unchanged)" : ""));
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  TBN_CHECK(descriptor_ >= 0, "a file is written after its commit");
  constexpr std::size_t kChunk = std::size_t{1} << 30;  // write() takes less than 2 GiB at once
  while (!bytes.empty()) {
    const ssize_t done = ::write(descriptor_, bytes.data(), std::min(bytes.size(), kChunk));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail(errno);
    if (done == 0) fail(ENOSPC);
    bytes = bytes.subspan(static_cast<std::size_t>(done));
  }
}

void AtomicFile::extend(std::uint64_t bytes) {
  TBN_CHECK(descriptor_ >= 0 && !aside_.empty(), "only a file that is written aside is extended");
  const off_t end = ::lseek(descriptor_, 0, SEEK_END);
  if (end < 0) fail(errno);
  const off_t size = end + static_cast<off_t>(bytes);
  if (::ftruncate(descriptor_, size) != 0) fail(errno);
  if (::lseek(descriptor_, size, SEEK_SET) < 0) fail(errno);
}

void AtomicFile::flush() {
  if (::fsync(descriptor_) != 0 && !is_unknown_here(errno)) fail(errno);
  const int descriptor = descriptor_;
  descriptor_ = -1;
  if (::close(descriptor) != 0 && errno != EINTR) fail(errno);
}

void AtomicFile::commit(const std::function<void()>& before) {
  TBN_CHECK(descriptor_ >= 0, "a file is committed twice");
  flush();
  if (before) before();
  if (aside_.empty()) return;
  if (::rename(aside_.c_str(), target_.c_str()) != 0) fail(errno);
  aside_.clear();
  flush_folder();
}

// A link takes no other file's place, which a rename does. File systems without links have the
// rename alone.
bool AtomicFile::commit_new() {
  TBN_CHECK(descriptor_ >= 0 && !aside_.empty(), "only a file that is written aside is new");
  flush();
  const bool linked = ::link(aside_.c_str(), target_.c_str()) == 0;
  const int error = linked ? 0 : errno;
  if (error == EEXIST) {
    discard();
    return false;
  }
  if (!linked) {
    const bool has_no_links = error == EPERM || is_unknown_here(error);
    if (!has_no_links || ::rename(aside_.c_str(), target_.c_str()) != 0) fail(errno);
    aside_.clear();
  }
  discard();
  flush_folder();
  return true;
}

// Makes the rename itself last through a power cut. The file is in place by now: a folder that may
// not be opened for reading is no error.
void AtomicFile::flush_folder() {
  const int folder = ::open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  const int error = ::fsync(folder) == 0 ? 0 : errno;
  ::close(folder);
  if (error == 0 || is_unknown_here(error)) return;
  throw SystemError("'" + path_.string() + "' is written, but its folder could not be flushed: " +
                    std::generic_category().message(error));
}

std::string other_kind(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    const bool leads_nowhere = errno == ELOOP || errno == ENOENT;
    const bool is_link = ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
    return is_link && leads_nowhere ? "is a symbolic link that leads nowhere" : "";
  }
  if (S_ISREG(status.st_mode)) return "";
  if (S_ISDIR(status.st_mode)) return "is a folder";
  if (S_ISFIFO(status.st_mode)) return "is a pipe";
  return S_ISSOCK(status.st_mode) ? "is a socket" : "is a device";
}

void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void write_file_atomically(const std::filesystem::path& path, std::string_view text) {
  write_file_atomically(path, std::as_bytes(std::span(text)));
}

std::string first_bytes(const std::filesystem::path& path, std::size_t most) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return "";
  std::ifstream in(path, std::ios::binary);
  std::string first(most, '\0');
  in.read(first.data(), static_cast<std::streamsize>(most));
  first.resize(static_cast<std::size_t>(in.gcount()));
  return first;
}

}  // namespace tbn
