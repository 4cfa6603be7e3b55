// flock(2), which local disks have and NFS has where its server does.
#include "train/state/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <thread>

#include <fmt/format.h>

#include "base/text.h"
#include "tbn/error.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

constexpr auto kBetweenTries = std::chrono::milliseconds(200);
// So often in a row another owner may end just then; beyond it, files there have no identity.
constexpr int kMostRaces = 10'000;

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

// What file systems without locks answer: "no locks available", "not implemented".
bool has_no_locks(int error) {
  return error == ENOLCK || error == ENOSYS || error == EOPNOTSUPP || error == EINVAL;
}

}  // namespace

RunLock::RunLock(const fs::path& folder, const LockOptions& options)
    : folder_(folder),
      file_(file_of(folder)),
      rename_(options.rename),
      lock_(options.lock == nullptr ? ::flock : options.lock) {
  const auto end = std::chrono::steady_clock::now() + options.wait;
  bool told = false;
  int again = 0;
  try {
    for (Try tried = try_lock(); tried != Try::kLocked; tried = try_lock()) {
      if (tried == Try::kAgain && ++again < kMostRaces) continue;
      if (tried == Try::kAgain) fail(ESTALE);
      again = 0;
      if (std::chrono::steady_clock::now() >= end) {
        throw ConfigError(
            fmt::format("run directory '{}' is in use by {}; wait for it, end it, or "
                        "choose another with {}",
                        folder_.string(), owner(), rename_));
      }
      if (!told && options.waits) options.waits(owner());
      told = true;
      std::this_thread::sleep_for(kBetweenTries);
    }
  } catch (...) {
    close();
    throw;
  }
  sign();
}

RunLock::~RunLock() {
  // While the lock is held: whoever waits for it finds that its file is another one now.
  if (is_the_one_at_its_place()) ::unlink(file_.c_str());
  close();
  if (made_.empty()) return;
  for (fs::path made = folder_; ::rmdir(made.c_str()) == 0 && made != made_;) {
    made = made.parent_path();
  }
}

void RunLock::close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

void RunLock::fail(int error) const {
  throw SystemError(
      fmt::format("cannot prepare the run directory '{}': {}; choose another place with "
                  "output=...",
                  folder_.string(), std::generic_category().message(error)));
}

// False where an owner that ends took a folder away meanwhile.
bool RunLock::make_folder() {
  std::error_code error;
  fs::path topmost;
  for (fs::path part = folder_; !part.empty() && !fs::exists(part, error) && !error;
       part = part.parent_path()) {
    topmost = part;
    if (part == part.parent_path()) break;
  }
  fs::create_directories(folder_, error);
  // A part that was there and was gone a moment later is told as "exists" (a file in the place of a
  // folder is told as "not a directory").
  if (error == std::errc::no_such_file_or_directory || error == std::errc::file_exists) {
    return false;
  }
  if (error) fail(error.value());
  if (made_.empty()) made_ = std::move(topmost);
  return true;
}

RunLock::Try RunLock::try_lock() {
  close();
  if (!make_folder()) return Try::kAgain;
  // For reading and writing: NFS makes an exclusive lock of nothing less.
  descriptor_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (descriptor_ < 0) {
    if (errno == ENOENT) return Try::kAgain;  // as above
    fail(errno);
  }
  struct stat file {};
  if (::fstat(descriptor_, &file) == 0 && (!S_ISREG(file.st_mode) || file.st_nlink > 1)) {
    throw ConfigError(
        fmt::format("'{}' is no lock of a training but a file that has other names or is none; "
                    "remove it, or choose another run with {}",
                    file_.string(), rename_));
  }
  int error = 0;
  do {
    error = lock_(descriptor_, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
  } while (error == EINTR);
  if (error == EWOULDBLOCK || error == EACCES) return Try::kHeld;
  if (has_no_locks(error)) {
    note_ = fmt::format("'{}' is not locked: {}; let no other training write there",
                        folder_.string(), std::generic_category().message(error));
    return Try::kLocked;
  }
  if (error != 0) fail(error);
  // Its owner may have removed the file after it was opened here: then this lock locks nothing.
  return is_the_one_at_its_place() ? Try::kLocked : Try::kAgain;
}

bool RunLock::is_the_one_at_its_place() const {
  struct stat ours {};
  struct stat there {};
  return descriptor_ >= 0 && ::fstat(descriptor_, &ours) == 0 &&
         ::lstat(file_.c_str(), &there) == 0 && ours.st_dev == there.st_dev &&
         ours.st_ino == there.st_ino;
}

bool RunLock::is_held() const {
  struct stat there {};
  // What cannot be looked at now is not gone.
  if (::lstat(file_.c_str(), &there) != 0 && errno != ENOENT) return true;
  return is_the_one_at_its_place();
}

void RunLock::expect_held(std::string_view way_on) const {
  if (is_held()) return;
  throw SystemError(fmt::format(
      "'{}' was removed or replaced while this training ran, so that another one may "
      "write there; this one ends, and writes nothing more; leave the file alone while a "
      "training runs, and {}",
      file_.string(), way_on));
}

// "process 12 on host a"
std::string RunLock::owner() const {
  std::array<char, 300> text{};
  const ssize_t size = ::pread(descriptor_, text.data(), text.size(), 0);
  const std::string said(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  const std::size_t space = said.find(' ');
  const std::size_t line_end = said.find('\n');
  const bool is_whole = space != std::string::npos && line_end != std::string::npos &&
                        said.find_first_not_of("0123456789") == space && space < line_end;
  if (!is_whole) return "another process";
  const std::string host = in_quotes(said.substr(space + 1, line_end - space - 1));
  return fmt::format("process {} on host {}", said.substr(0, space),
                     host.substr(1, host.size() - 2));
}

// For messages alone: on a full disk the lock stands without it.
void RunLock::sign() const {
  const std::string text = fmt::format("{} {}\n", ::getpid(), host_name());
  if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, text.data(), text.size(), 0) < 0) {
    errno = 0;
  }
}

}  // namespace tbn
