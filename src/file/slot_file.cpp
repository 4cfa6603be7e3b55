// Slots by pread and pwrite behind a safetensors header.
#include "file/slot_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/text.h"
#include "file/atomic_write.h"
#include "file/crc32c.h"
#include "file/reader.h"
#include "file/safetensors_header.h"
#include "tbn/error.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMark = 4;  // bytes of a slot's checksum
constexpr const char* kTensor = "slots";

Shape shape_of(const SlotLayout& layout) {
  return {static_cast<std::int64_t>(layout.slots), static_cast<std::int64_t>(kMark + layout.bytes)};
}

// Never 0, which is how an empty slot begins.
std::uint32_t mark_of(std::uint64_t slot, std::span<const std::byte> bytes) {
  std::byte number[8];
  for (int i = 0; i < 8; ++i) number[i] = static_cast<std::byte>(slot >> (8 * i));
  return std::max<std::uint32_t>(1, crc32c(bytes, crc32c(number)));
}

std::string header_of(const SlotLayout& layout) {
  const SafetensorsEntry slots{kTensor, DType::kU8, shape_of(layout), 0, layout.file_bytes()};
  return make_safetensors_header(std::vector{slots}, layout.facts);
}

[[noreturn]] void refuse(const std::string& key, const fs::path& path, const std::string& why) {
  throw DataError(key + ": '" + path.string() + "' " + why + "; name another file with " + key +
                  "=..., or delete this one");
}

// The length of the header of a file that is of this layout.
std::uint64_t checked_begin(const std::string& key, const fs::path& path,
                            const SlotLayout& layout) {
  Reader reader(path);
  const SafetensorsHeader header = read_safetensors_header(reader);
  for (const auto& [name, value] : layout.facts) {
    const auto found = header.metadata.find(name);
    if (found == header.metadata.end()) refuse(key, path, "does not say its " + name);
    if (found->second == value) continue;
    refuse(key, path,
           "was made with " + name + " " + in_quotes(found->second) + ", and this run has " +
               in_quotes(value));
  }
  const bool fits = header.entries.size() == 1 && header.entries[0].name == kTensor &&
                    header.entries[0].dtype == DType::kU8 &&
                    header.entries[0].shape == shape_of(layout);
  if (!fits) refuse(key, path, "has not the slots that this run would fill");
  return reader.offset();
}

// Another process that makes the same file at the same time may be first: its file then serves
// both.
void make(const std::string& key, const fs::path& path, const SlotLayout& layout) {
  const std::string header = header_of(layout);
  const std::uint64_t size = header.size() + layout.file_bytes();
  std::error_code error;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const fs::space_info disk = fs::space(folder, error);
  if (!error && disk.available < size) {
    throw SystemError(key + ": '" + path.string() + "' takes " + grouped(size) +
                      " bytes, and its disk has " + grouped(disk.available) +
                      " left; free some space, or name a file on another disk with " + key +
                      "=...");
  }
  AtomicFile file(path);
  file.write(header);
  file.extend(layout.file_bytes());
  file.commit_new();
}

}  // namespace

SlotFile SlotFile::open(const std::string& key, const fs::path& path, const SlotLayout& layout) {
  const std::string kind = other_kind(path);
  if (!kind.empty()) refuse(key, path, kind + ", where a file is needed");
  if (!has_file(path)) make(key, path, layout);
  return SlotFile(path, checked_begin(key, path, layout), layout);
}

void SlotFile::check(const std::string& key, const fs::path& path, const SlotLayout& layout) {
  const std::string kind = other_kind(path);
  if (!kind.empty()) refuse(key, path, kind + ", where a file is needed");
  if (has_file(path)) checked_begin(key, path, layout);
}

SlotFile::SlotFile(fs::path path, std::uint64_t data_begin, const SlotLayout& layout)
    : path_(std::move(path)), begin_(data_begin), slots_(layout.slots), bytes_(layout.bytes) {
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (descriptor_ < 0) fail("open", errno);
}

SlotFile::SlotFile(SlotFile&& other) noexcept
    : path_(std::move(other.path_)),
      begin_(other.begin_),
      slots_(other.slots_),
      bytes_(other.bytes_),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

SlotFile::~SlotFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void SlotFile::fail(const char* what, int error) const {
  throw SystemError(std::string("cannot ") + what + " '" + path_.string() +
                    "': " + std::generic_category().message(error) +
                    (error == ENOSPC || error == EDQUOT ? "; free some space" : ""));
}

std::uint64_t SlotFile::place(std::uint64_t slot) const {
  TBN_CHECK(slot < slots_, "SlotFile: no such slot");
  return begin_ + slot * (kMark + bytes_);
}

bool SlotFile::read(std::uint64_t slot, std::span<std::byte> out) const {
  TBN_CHECK(out.size() == bytes_, "SlotFile: a slot has another size");
  std::vector<std::byte> all(kMark + bytes_);
  std::uint64_t at = place(slot);
  for (std::span<std::byte> left = all; !left.empty();) {
    const ssize_t done = ::pread(descriptor_, left.data(), left.size(), static_cast<off_t>(at));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail("read", errno);
    if (done == 0) return false;  // the file has become shorter
    left = left.subspan(static_cast<std::size_t>(done));
    at += static_cast<std::uint64_t>(done);
  }
  std::uint32_t mark = 0;
  for (std::uint64_t i = 0; i < kMark; ++i) {
    mark |= std::to_integer<std::uint32_t>(all[i]) << (8 * i);
  }
  const auto bytes = std::span(all).subspan(kMark);
  if (mark == 0 || mark != mark_of(slot, bytes)) return false;
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return true;
}

void SlotFile::write(std::uint64_t slot, std::span<const std::byte> bytes) {
  TBN_CHECK(bytes.size() == bytes_, "SlotFile: a slot has another size");
  std::vector<std::byte> all(kMark + bytes_);
  const std::uint32_t mark = mark_of(slot, bytes);
  for (std::uint64_t i = 0; i < kMark; ++i) all[i] = static_cast<std::byte>(mark >> (8 * i));
  std::copy(bytes.begin(), bytes.end(), all.begin() + kMark);
  std::uint64_t at = place(slot);
  for (std::span<const std::byte> left = all; !left.empty();) {
    const ssize_t done = ::pwrite(descriptor_, left.data(), left.size(), static_cast<off_t>(at));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) fail("write", done < 0 ? errno : ENOSPC);
    left = left.subspan(static_cast<std::size_t>(done));
    at += static_cast<std::uint64_t>(done);
  }
}

void SlotFile::flush() {
  if (::fdatasync(descriptor_) == 0) return;
  if (errno != EINVAL && errno != ENOTSUP && errno != ENOSYS) fail("flush", errno);
}

}  // namespace tbn
