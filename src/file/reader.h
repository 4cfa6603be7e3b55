// The one way in which tbn reads binary files: in order, bounded by the file's true size, and with
// errors that name the file and the place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "file/mapping.h"

namespace tbn {

// Whether there is a regular file at `path`. Throws a SystemError where that may not be known: what
// cannot be seen is not taken for absent.
bool has_file(const std::filesystem::path& path);

class Reader {
 public:
  // Larger files are refused: no model or data set of this project comes near it.
  static constexpr std::uint64_t kMaxFileBytes = std::uint64_t{64} << 30;

  // Opens a regular file. Throws a DataError when it is missing, empty, too large, a directory or
  // anything else that is no regular file, and a SystemError when it may not be read.
  explicit Reader(const std::filesystem::path& path, std::uint64_t max_bytes = kMaxFileBytes);
  // Reads from memory, which must outlive the reader; `where` stands for the file in errors.
  Reader(std::span<const std::byte> bytes, std::string where);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  const std::string& where() const { return where_; }
  std::uint64_t size() const { return size_; }
  std::uint64_t offset() const { return offset_; }
  std::uint64_t remaining() const { return size_ - offset_; }

  // Each reads exactly what it is asked for, or throws a DataError: "m.tbn: truncated: the header
  // length takes 8 bytes at byte 0, the file holds 5". `what` names the thing that is read.
  void read(std::span<std::byte> out, std::string_view what);
  std::vector<std::byte> read_bytes(std::uint64_t count, std::string_view what);
  std::string read_text(std::uint64_t count, std::string_view what);
  std::uint64_t read_u64(std::string_view what);  // little-endian

  // Maps the file, so that borrow() can lend what lies in it; nothing where the system cannot, or
  // where the reader reads from memory.
  void map();
  // Reads the next bytes in pieces, as read() does, and returns where they lie in the mapped file.
  // They are not read through the mapping: a disk that fails, or a file that becomes shorter, is an
  // error here and not a signal. Empty without a mapping.
  std::span<const std::byte> borrow(std::uint64_t count, std::string_view what);
  // Keeps borrowed bytes valid; null without a mapping.
  const std::shared_ptr<const Mapping>& mapping() const { return mapping_; }

  // Starts, from here on, the CRC-32C of all that is read; crc() is its value so far.
  void start_crc() { crc_ = 0; }
  std::uint32_t crc() const { return crc_.value_or(0); }

  // Throws a DataError: where, then `problem`.
  [[noreturn]] void fail(const std::string& problem) const;

 private:
  void open(const std::filesystem::path& path, std::uint64_t max_bytes);
  void check_remaining(std::uint64_t count, std::string_view what) const;
  void read_from_file(std::span<std::byte> out, std::string_view what);
  template <class Container>
  Container allocate(std::uint64_t count, std::string_view what) const;

  std::string where_;
  std::span<const std::byte> bytes_;
  int descriptor_ = -1;  // -1: reads from bytes_
  std::shared_ptr<const Mapping> mapping_;
  std::uint64_t size_ = 0;
  std::uint64_t offset_ = 0;
  std::optional<std::uint32_t> crc_;
};

}  // namespace tbn
