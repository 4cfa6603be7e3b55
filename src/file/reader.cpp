// Bounded reading, from a regular file (POSIX) or from memory.
#include "file/reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <system_error>

#include "base/text.h"
#include "file/crc32c.h"
#include "tbn/error.h"

namespace tbn {
namespace {

std::string errno_text(int error) { return std::generic_category().message(error); }

// Why a path that cannot be opened cannot be.
[[noreturn]] void fail_open(const std::string& where, int error) {
  switch (error) {
    case ENOENT:
      throw DataError(where + ": there is no such file");
    case ENOTDIR:
      throw DataError(where + ": no such file: its path leads through a file");
    case ENXIO:
      throw DataError(where + ": is not a regular file");
    case EACCES:
    case EPERM:
      throw SystemError(where + ": cannot be read: " + errno_text(error) +
                        "; change its permissions, or read a file that you may read");
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      throw SystemError(where + ": cannot be opened: " + errno_text(error));
    default:
      throw DataError(where + ": cannot be opened: " + errno_text(error));
  }
}

}  // namespace

bool has_file(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return S_ISREG(status.st_mode);
  if (errno == ENOENT || errno == ENOTDIR) return false;
  throw SystemError(path.string() + ": cannot be looked at: " + errno_text(errno) +
                    "; change the permissions of its folders");
}

Reader::Reader(const std::filesystem::path& path, std::uint64_t max_bytes) : where_(path.string()) {
  try {
    open(path, max_bytes);
  } catch (...) {
    if (descriptor_ >= 0) ::close(descriptor_);
    throw;
  }
}

Reader::Reader(std::span<const std::byte> bytes, std::string where)
    : where_(std::move(where)), bytes_(bytes), size_(bytes.size()) {}

Reader::~Reader() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void Reader::open(const std::filesystem::path& path, std::uint64_t max_bytes) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) fail_open(where_, errno);
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) fail_open(where_, errno);
  if (S_ISDIR(status.st_mode)) fail("is a folder, not a file");
  if (!S_ISREG(status.st_mode)) fail("is not a regular file");
  size_ = static_cast<std::uint64_t>(status.st_size);
  if (size_ == 0) fail("is empty");
  if (size_ > max_bytes) {
    fail("has " + grouped(size_) + " bytes, more than the limit of " + grouped(max_bytes));
  }
}

void Reader::fail(const std::string& problem) const { throw DataError(where_ + ": " + problem); }

void Reader::check_remaining(std::uint64_t count, std::string_view what) const {
  if (count <= remaining()) return;
  fail("truncated: " + std::string(what) + " takes " + grouped(count) + " bytes at byte " +
       grouped(offset_) + ", the file holds " + grouped(remaining()));
}

void Reader::read(std::span<std::byte> out, std::string_view what) {
  check_remaining(out.size(), what);
  if (descriptor_ >= 0) {
    read_from_file(out, what);
  } else {
    std::copy_n(bytes_.data() + offset_, out.size(), out.data());
  }
  offset_ += out.size();
  if (crc_) crc_ = crc32c(out, *crc_);
}

void Reader::read_from_file(std::span<std::byte> out, std::string_view what) {
  constexpr std::size_t kChunk = std::size_t{1} << 30;  // read() takes less than 2 GiB at once
  while (!out.empty()) {
    const ssize_t got = ::read(descriptor_, out.data(), std::min(out.size(), kChunk));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw SystemError(where_ + ": reading failed: " + errno_text(errno));
    if (got == 0) fail("became shorter while " + std::string(what) + " was read");
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

template <class Container>
Container Reader::allocate(std::uint64_t count, std::string_view what) const {
  check_remaining(count, what);
  try {
    return Container(static_cast<std::size_t>(count), {});
  } catch (const std::bad_alloc&) {
    throw SystemError(where_ + ": not enough memory for " + std::string(what) + ", " +
                      grouped(count) + " bytes");
  }
}

std::vector<std::byte> Reader::read_bytes(std::uint64_t count, std::string_view what) {
  auto bytes = allocate<std::vector<std::byte>>(count, what);
  read(bytes, what);
  return bytes;
}

std::string Reader::read_text(std::uint64_t count, std::string_view what) {
  auto text = allocate<std::string>(count, what);
  read(std::as_writable_bytes(std::span(text)), what);
  return text;
}

void Reader::map() {
  if (descriptor_ >= 0) mapping_ = Mapping::of(descriptor_, size_);
}

std::span<const std::byte> Reader::borrow(std::uint64_t count, std::string_view what) {
  if (mapping_ == nullptr) return {};
  check_remaining(count, what);
  const std::span<const std::byte> bytes = mapping_->bytes().subspan(offset_, count);
  std::array<std::byte, std::size_t{1} << 16> piece;
  while (count > 0) {
    const std::uint64_t part = std::min<std::uint64_t>(count, piece.size());
    read(std::span(piece).first(part), what);
    count -= part;
  }
  return bytes;
}

std::uint64_t Reader::read_u64(std::string_view what) {
  std::byte bytes[8];
  read(bytes, what);
  std::uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  return value;
}

}  // namespace tbn
