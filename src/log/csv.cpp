// CSV rows after RFC 4180, and the cut of a file for a resumed run.
#include "log/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "file/atomic_write.h"
#include "tbn/error.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMaxBytes = std::uintmax_t{1} << 30;

[[noreturn]] void fail(const fs::path& path, std::string_view what) {
  throw SystemError(fmt::format("'{}': {}: {}", path.string(), what, std::strerror(errno)));
}

// Rows are read back line by line, so a line break within a text becomes a space.
std::string quoted_cell(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  if (text.find_first_of(",\"") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  return out + "\"";
}

struct CellText {
  std::string operator()(std::monostate) const { return ""; }
  std::string operator()(std::int64_t value) const { return fmt::format("{}", value); }
  std::string operator()(double value) const { return fmt::format("{}", value); }
  std::string operator()(const std::string& text) const { return quoted_cell(text); }
};

std::string header_line(const std::vector<std::string>& columns) {
  std::string line;
  for (const auto& column : columns) line += (line.empty() ? "" : ",") + quoted_cell(column);
  return line;
}

// The text of cell `index`, or nothing when the line has fewer.
std::optional<std::string_view> cell_of(std::string_view line, std::size_t index) {
  bool in_quotes = false;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= line.size(); ++i) {
    if (i < line.size() && line[i] == '"') in_quotes = !in_quotes;
    if (i < line.size() && (line[i] != ',' || in_quotes)) continue;
    if (index-- == 0) return line.substr(start, i - start);
    start = i + 1;
  }
  return std::nullopt;
}

std::string read_file(const fs::path& path) {
  if (fs::file_size(path) > kMaxBytes) {
    throw DataError(fmt::format("'{}': {} bytes; a metrics file has at most {}", path.string(),
                                fs::file_size(path), kMaxBytes));
  }
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in.is_open() || in.bad()) fail(path, "cannot be read");
  return text;
}

// The header and the rows up to and with `last`; what follows the last line end is dropped.
std::string kept_rows(const fs::path& path, const std::string& header, std::size_t key,
                      std::int64_t last) {
  const std::string text = read_file(path);
  std::string kept = header + "\n";
  std::size_t number = 0;
  for (std::size_t start = 0, end; (end = text.find('\n', start)) != std::string::npos;
       start = end + 1) {
    const std::string_view line = std::string_view(text).substr(start, end - start);
    if (++number == 1) {
      if (line == header) continue;
      throw DataError(
          fmt::format("'{}': its columns are '{}', but this run writes '{}'; start a "
                      "new run directory",
                      path.string(), line.substr(0, 500), header));
    }
    const auto cell = cell_of(line, key);
    std::int64_t value = 0;
    const auto read = cell ? std::from_chars(cell->data(), cell->data() + cell->size(), value)
                           : std::from_chars_result{nullptr, std::errc::invalid_argument};
    if (read.ec != std::errc() || read.ptr != cell->data() + cell->size()) {
      throw DataError(
          fmt::format("'{}' line {}: column {} is no whole number; repair the line or "
                      "move the file away",
                      path.string(), number, key + 1));
    }
    if (value <= last) kept.append(line).push_back('\n');
  }
  return kept;
}

}  // namespace

CsvLog::CsvLog(fs::path path, std::size_t columns) : path_(std::move(path)), columns_(columns) {
  file_.reset(std::fopen(path_.c_str(), "abe"));
  if (!file_) fail(path_, "cannot be opened");
}

CsvLog CsvLog::create(const fs::path& path, const std::vector<std::string>& columns) {
  write_file_atomically(path, header_line(columns) + "\n");
  return {path, columns.size()};
}

CsvLog CsvLog::resume(const fs::path& path, const std::vector<std::string>& columns,
                      std::string_view key, std::int64_t last) {
  const auto at = std::find(columns.begin(), columns.end(), key);
  TBN_CHECK(at != columns.end(), "CsvLog::resume: the key is no column");
  std::error_code error;
  if (!fs::exists(path, error)) return create(path, columns);
  const auto index = static_cast<std::size_t>(at - columns.begin());
  write_file_atomically(path, kept_rows(path, header_line(columns), index, last));
  return {path, columns.size()};
}

void CsvLog::write(std::span<const CsvCell> row) {
  TBN_CHECK(row.size() == columns_, "CsvLog::write: a row has one cell per column");
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i > 0) line.push_back(',');
    line += std::visit(CellText{}, row[i]);
  }
  line.push_back('\n');
  if (std::fwrite(line.data(), 1, line.size(), file_.get()) != line.size() ||
      std::fflush(file_.get()) != 0) {
    fail(path_, "cannot be written");
  }
}

}  // namespace tbn
