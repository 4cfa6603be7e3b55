// The lines of a table, one after another, within limits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <istream>
#include <memory>
#include <string>
#include <vector>

#include "data/series/csv_table.h"

namespace tbn {

class CsvLines {
 public:
  // Throws DataError for what is no regular file or larger than the limit, and SystemError for one
  // that cannot be opened.
  CsvLines(const std::filesystem::path& path, const CsvLimits& limits);
  // The lines of a text, which errors call `name`. Throws DataError where it is larger than the
  // limit.
  CsvLines(std::string text, const std::string& name, const CsvLimits& limits);

  // The next line without its end, and the first without a byte order mark; false at the end of the
  // file. Throws DataError for one that is longer than the limit.
  bool next(std::string& line);

  std::int64_t number() const { return number_; }  // of the last line read, from 1
  std::string where() const;                       // "'a.csv': "
  std::string where_line() const;                  // "'a.csv': line 3: "

 private:
  [[noreturn]] void fail_size() const;
  bool finish(std::string& line);
  bool fill();

  std::filesystem::path path_;
  CsvLimits limits_;
  std::unique_ptr<std::istream> file_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t total_ = 0;
  std::int64_t number_ = 0;
};

}  // namespace tbn
