// Bounded reading of plain and gzip-compressed files through zlib.
#include "data/source/byte_source.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "tbn/error.h"

namespace tbn {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;
// Deflate stores at best 258 bytes in two bits, so no gzip file expands further than this.
constexpr std::uint64_t kMaxRatio = 1032;

}  // namespace

void ByteSource::Close::operator()(gzFile_s* file) const { gzclose_r(file); }

ByteSource::ByteSource(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code error;
  const auto status = std::filesystem::status(path_, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    throw DataError(where() + "the file does not exist");
  }
  if (!error && status.type() != std::filesystem::file_type::regular) {
    throw DataError(where() + "is no regular file");
  }
  if (!error) stored_bytes_ = std::filesystem::file_size(path_, error);
  if (error) throw SystemError(where() + error.message());
  errno = 0;
  file_.reset(gzopen(path_.c_str(), "rb"));
  if (!file_) throw SystemError(where() + "cannot be opened: " + std::strerror(errno));
  compressed_ = gzdirect(file_.get()) == 0;
}

std::string ByteSource::where() const { return fmt::format("'{}': ", path_.string()); }

std::size_t ByteSource::read(std::span<std::uint8_t> out) {
  const int got = gzread(file_.get(), out.data(), static_cast<unsigned>(out.size()));
  if (got == static_cast<int>(out.size())) {
    bytes_read_ += out.size();
    return out.size();
  }
  int code = Z_OK;
  const char* text = gzerror(file_.get(), &code);
  if (code == Z_ERRNO) throw SystemError(where() + "cannot be read: " + std::strerror(errno));
  if (code == Z_BUF_ERROR) {
    throw DataError(where() + "the compressed data ends too early; the file is truncated");
  }
  if (got < 0 || code != Z_OK) {
    throw DataError(where() + "the compressed data is damaged (" + text + ")");
  }
  bytes_read_ += static_cast<std::uint64_t>(got);
  return static_cast<std::size_t>(got);
}

void ByteSource::check_possible(std::uint64_t count, std::string_view what) const {
  if (count > kMaxBytes) {
    throw DataError(
        fmt::format("{}{} would take {} bytes; the limit is {}", where(), what, count, kMaxBytes));
  }
  const std::uint64_t most = compressed_ ? stored_bytes_ * kMaxRatio : stored_bytes_;
  const std::uint64_t left = most - std::min(most, bytes_read_);
  if (count > left) {
    throw DataError(fmt::format("{}{} should take {} bytes, but the file holds {} {}", where(),
                                what, count, compressed_ ? "at most" : "only", left));
  }
}

std::vector<std::uint8_t> ByteSource::read_exactly(std::uint64_t count, std::string_view what) {
  check_possible(count, what);
  std::vector<std::uint8_t> out;
  out.reserve(std::min<std::uint64_t>(count, 64 * kPiece));
  while (out.size() < count) {
    const std::size_t start = out.size();
    const std::size_t piece = std::min<std::uint64_t>(kPiece, count - start);
    out.resize(start + piece);
    const std::size_t got = read(std::span(out).subspan(start));
    if (got < piece) {
      throw DataError(fmt::format("{}{} should take {} bytes, but the file ends after {}", where(),
                                  what, count, start + got));
    }
  }
  return out;
}

void ByteSource::expect_end(std::string_view after) {
  std::uint8_t extra = 0;
  if (read({&extra, 1}) != 0) {
    throw DataError(where() + "has more bytes after " + std::string(after) +
                    " than its header promises");
  }
}

}  // namespace tbn
