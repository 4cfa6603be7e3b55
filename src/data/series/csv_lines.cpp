// Read piece by piece: a file may grow, and a line may have no end.
#include "data/series/csv_lines.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "tbn/error.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = std::size_t{1} << 16;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

CsvLines::CsvLines(const fs::path& path, const CsvLimits& limits)
    : path_(path), limits_(limits), buffer_(kPiece) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    throw DataError(where() + "the file does not exist");
  }
  if (!error && status.type() != fs::file_type::regular) {
    throw DataError(where() + "is no regular file");
  }
  const std::uintmax_t bytes = error ? 0 : fs::file_size(path, error);
  if (error) throw SystemError(where() + error.message());
  if (bytes > limits_.bytes) fail_size();
  file_ = std::make_unique<std::ifstream>(path, std::ios::binary);
  if (!*file_) throw SystemError(where() + "cannot be opened");
}

CsvLines::CsvLines(std::string text, const std::string& name, const CsvLimits& limits)
    : path_(name), limits_(limits), buffer_(kPiece) {
  if (text.size() > limits_.bytes) fail_size();
  file_ = std::make_unique<std::istringstream>(std::move(text));
}

bool CsvLines::next(std::string& line) {
  line.clear();
  for (;;) {
    if (begin_ == end_ && !fill()) break;
    const char* const from = buffer_.data() + begin_;
    const char* const to = std::find(from, static_cast<const char*>(buffer_.data()) + end_, '\n');
    line.append(from, to);
    begin_ = static_cast<std::size_t>(to - buffer_.data());
    if (line.size() > limits_.line_bytes) {
      throw DataError(fmt::format("{}line {} is longer than {} bytes; is it a CSV file?", where(),
                                  number_ + 1, limits_.line_bytes));
    }
    if (begin_ < end_) {
      ++begin_;  // the line feed
      return finish(line);
    }
  }
  return !line.empty() && finish(line);
}

std::string CsvLines::where() const { return fmt::format("'{}': ", path_.string()); }

std::string CsvLines::where_line() const { return fmt::format("{}line {}: ", where(), number_); }

void CsvLines::fail_size() const {
  throw DataError(fmt::format("{}is larger than {} bytes, the limit for a table", where(),
                              grouped(limits_.bytes)));
}

bool CsvLines::finish(std::string& line) {
  ++number_;
  if (!line.empty() && line.back() == '\r') line.pop_back();
  if (number_ == 1 && line.starts_with(kByteOrderMark)) line.erase(0, kByteOrderMark.size());
  return true;
}

bool CsvLines::fill() {
  file_->read(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
  if (file_->bad()) throw SystemError(where() + "cannot be read");
  begin_ = 0;
  end_ = static_cast<std::size_t>(file_->gcount());
  total_ += end_;
  if (total_ > limits_.bytes) fail_size();
  return end_ > 0;
}

}  // namespace tbn
