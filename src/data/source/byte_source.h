// Bounded reading of one data file, plain or gzip-compressed. The size that a header promises is
// held against what the file can contain before a byte is allocated for it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct gzFile_s;

namespace tbn {

class ByteSource {
 public:
  // No data file that tbn reads is larger than this once decompressed.
  static constexpr std::uint64_t kMaxBytes = std::uint64_t{4} << 30;

  // Opens a regular file; whether it is compressed is seen from its first bytes, not its name.
  // Throws DataError when it is missing or no regular file, SystemError when it cannot be opened.
  explicit ByteSource(std::filesystem::path path);

  // The next `count` bytes, read piece by piece. Throws DataError when there are fewer; `what`
  // says what they are ("the image header").
  std::vector<std::uint8_t> read_exactly(std::uint64_t count, std::string_view what);

  // Throws DataError when a byte is left, or when the checksum of a compressed file is wrong.
  void expect_end(std::string_view after);

  // "'path': ", to start an error sentence with.
  std::string where() const;

  // The bytes as stored on disk.
  std::uint64_t stored_bytes() const { return stored_bytes_; }
  bool compressed() const { return compressed_; }

 private:
  struct Close {
    void operator()(gzFile_s* file) const;
  };

  std::size_t read(std::span<std::uint8_t> out);
  void check_possible(std::uint64_t count, std::string_view what) const;

  std::filesystem::path path_;
  std::unique_ptr<gzFile_s, Close> file_;
  std::uint64_t stored_bytes_ = 0;
  std::uint64_t bytes_read_ = 0;
  bool compressed_ = false;
};

}  // namespace tbn
