// A table of numbers from a CSV file: one header line of names, then a number in each cell that is
// taken. A first column `date` says when each row was, and is no column of numbers. Quotes, CRLF
// and a byte order mark are understood; reading is bounded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "data/source/options.h"

namespace tbn {

struct CsvTable {
  std::vector<std::string> names;  // of the columns, as UTF-8
  std::vector<double> values;      // [rows, columns]; all finite and within a float's range
  std::int64_t rows = 0;
  // [rows], seconds, never descending; not-a-number where the date is none that parse_time() knows.
  // Empty without a `date` column.
  std::vector<double> times;
  std::int64_t unread_dates = 0;
  std::string first_unread;   // the first of them, with its line
  std::string unnamed_dates;  // the first column of dates that is not called `date`; "" for none
  std::int64_t skipped = 0;   // rows that were left out
  std::string first_skipped;  // why the first of them was, with its line and column

  std::int64_t columns() const { return static_cast<std::int64_t>(names.size()); }
};

struct CsvLimits {
  std::uint64_t bytes = std::uint64_t{512} << 20;
  std::uint64_t line_bytes = std::uint64_t{1} << 20;
};

// Which columns of a header's number columns to take, in which order.
using ColumnsOf = std::function<std::vector<std::size_t>(const std::vector<std::string>& names)>;

// Reads the whole table, or of its columns those that `taken` says of their names; what the cells
// of others hold is no matter. A row is bad when it has more or fewer cells than the header, or a
// cell that is empty, no number, infinite, NaN or beyond a float's range, or a date before that of
// the row above: OnError::kStop throws DataError with file, line and column; kSkip leaves the row
// out and counts it, so that the rows around it become neighbours. Lines are counted from 1, the
// header's. Blank lines may only end the file. Throws DataError as well for a missing file, a
// missing header, no rows, most rows back in time, and beyond a limit.
CsvTable read_csv(const std::filesystem::path& path, OnError on_error, const CsvLimits& limits = {},
                  const ColumnsOf& taken = {});
// The same of a table's text, which errors call `name`.
CsvTable read_csv_text(std::string text, const std::string& name, OnError on_error,
                       const CsvLimits& limits = {}, const ColumnsOf& taken = {});

// What the first lines of a table tell.
struct CsvHead {
  std::vector<std::string> names;  // of its number columns
  double seconds = 0;              // the commonest step between the first rows' dates; 0: not known
};

// Reads the header and a few rows, whose numbers may be wrong. Throws DataError.
CsvHead read_csv_head(const std::filesystem::path& path, const CsvLimits& limits = {});

}  // namespace tbn
