// Cells are views into the line that was read last.
#include "data/series/csv_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/counted.h"
#include "base/text.h"
#include "base/utf8.h"
#include "data/series/csv_lines.h"
#include "data/series/time_axis.h"
#include "tbn/error.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// The cells of a line; quotes around a cell are taken off, and keep the commas within it.
void split_cells(std::string_view line, std::vector<std::string_view>& cells) {
  cells.clear();
  std::size_t at = 0;
  for (;;) {
    std::size_t search = at;
    if (at < line.size() && line[at] == '"') {
      const std::size_t close = line.find('"', at + 1);
      if (close != std::string_view::npos) search = close;
    }
    const std::size_t comma = std::min(line.find(',', search), line.size());
    std::string_view cell = trimmed(line.substr(at, comma - at));
    if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"') {
      cell = cell.substr(1, cell.size() - 2);
    }
    cells.push_back(cell);
    if (comma == line.size()) return;
    at = comma + 1;
  }
}

std::optional<double> number_in(std::string_view cell) {
  double value = 0;
  if (!cell.empty() && cell.front() == '+') {
    cell.remove_prefix(1);
    if (!cell.empty() && cell.front() == '-') return std::nullopt;  // "+-5" is no number
  }
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (end != cell.data() + cell.size() || cell.empty()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return std::numeric_limits<double>::infinity();
  if (error != std::errc{}) return std::nullopt;
  return value;
}

// A name from the file as UTF-8 that a terminal and a JSON text can take.
std::string clean(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const std::size_t bytes = utf8_sequence(name);
    const bool control = static_cast<unsigned char>(name.front()) < 32 || name.front() == 127;
    if (bytes == 0 || control) {
      out += '?';
    } else {
      out += name.substr(0, bytes);
    }
    name.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return out;
}

bool is_date(std::string_view name) {
  static constexpr std::string_view kDate = "date";
  return std::equal(name.begin(), name.end(), kDate.begin(), kDate.end(),
                    [](char a, char b) { return (a | 0x20) == b; });
}

// What is wrong with a cell; empty where it holds a number to use.
std::string_view fault_of(std::string_view cell, const std::optional<double>& value) {
  if (cell.empty()) return "is empty";
  if (!value && parse_time(cell)) {
    return "is a date; those must be in the first column, and it must be named 'date'";
  }
  if (!value || std::isnan(*value)) return "is not a number";
  const bool fits = std::abs(*value) <= static_cast<double>(std::numeric_limits<float>::max());
  return fits ? "" : "is infinite or too large for a float";
}

// What seems to separate the cells of a line in place of commas: "semicolons"; empty for none.
std::string other_separator(const std::vector<std::string_view>& cells) {
  if (cells.size() != 1) return {};
  if (cells.front().find(';') != std::string_view::npos) return "semicolons";
  if (cells.front().find('\t') != std::string_view::npos) return "tabs";
  return cells.front().find('|') != std::string_view::npos ? "vertical bars" : "";
}

struct Header {
  std::vector<std::string> names;  // of the number columns
  bool dated = false;
  bool ends_with_comma = false;  // the last column has no name
};

// What is wrong with a row; empty text: nothing.
struct Fault {
  std::string text;
  bool of_cell = false;  // columns that are not taken could not have it
};

Header read_header(CsvLines& lines) {
  std::string line;
  if (!lines.next(line))
    throw DataError(lines.where() + "is empty; its first line must be a header");
  if (trimmed(line).empty()) throw DataError(lines.where() + "has no header: line 1 is blank");
  std::vector<std::string_view> cells;
  split_cells(line, cells);
  if (const std::string other = other_separator(cells); !other.empty()) {
    throw DataError(fmt::format(
        "{}its header has no comma, but {}; cells are separated by commas, and decimals written "
        "with points: save it so",
        lines.where(), other));
  }
  if (std::all_of(cells.begin(), cells.end(),
                  [](std::string_view cell) { return number_in(cell).has_value(); })) {
    throw DataError(lines.where() +
                    "has no header: its first line holds numbers where the columns' names must be");
  }
  const auto date = std::find_if(cells.begin(), cells.end(), is_date);
  if (date != cells.end() && date != cells.begin()) {
    throw DataError(fmt::format(
        "{}'date' is column {}; it must be the first, with nothing before it: an index of the rows "
        "is no measurement",
        lines.where(), date - cells.begin() + 1));
  }
  Header header{.names = {}, .dated = is_date(cells.front())};
  for (std::size_t i = header.dated ? 1 : 0; i < cells.size(); ++i) {
    header.names.push_back(cells[i].empty() ? fmt::format("column {}", i + 1) : clean(cells[i]));
  }
  header.ends_with_comma = cells.back().empty();
  if (header.names.empty()) {
    throw DataError(lines.where() + "has no column of numbers, only 'date'");
  }
  return header;
}

// What a comma at the end of the header or of a row has to do with their numbers of cells.
std::string comma_text(const Header& header, const std::vector<std::string_view>& cells) {
  const bool row = cells.size() > 1 && cells.back().empty();
  if (row == header.ends_with_comma) return "";
  return row ? " (it ends with a comma: take it out)"
             : " (the header ends with a comma: take it out)";
}

// Appends the numbers of one row's `taken` columns to `out`. Returns what is wrong with the row, if
// anything; `out` may have grown then.
Fault append_row(const Header& header, const std::vector<std::size_t>& taken,
                 const std::vector<std::string_view>& cells, std::vector<double>& out) {
  const std::size_t first = header.dated ? 1 : 0;
  if (cells.size() != header.names.size() + first) {
    const std::string other = other_separator(cells);
    return {fmt::format(
        "{} where the header has {}{}", counted(std::ssize(cells), "cell"),
        header.names.size() + first,
        other.empty() ? comma_text(header, cells) : " (it has " + other + " in place of commas)")};
  }
  for (const std::size_t column : taken) {
    const std::string_view cell = cells[first + column];
    const std::optional<double> value = number_in(cell);
    const std::string_view fault = fault_of(cell, value);
    if (fault.empty()) {
      out.push_back(*value);
      continue;
    }
    if (cell.empty() && header.ends_with_comma && column + 1 == header.names.size()) {
      return {fmt::format("column {} has neither a name nor a number: header and rows end with a "
                          "comma",
                          first + column + 1),
              true};
    }
    return {
        fmt::format("column {} ({}): {} {}", first + column + 1, in_quotes(header.names[column]),
                    cell.empty() ? "the cell" : in_quotes(cell), fault),
        true};
  }
  return {};
}

// The name of the first column, among those that are not taken, that holds a date; "" for none.
std::string dates_beside(const Header& header, const std::vector<std::size_t>& taken,
                         const std::vector<std::string_view>& cells) {
  for (std::size_t i = 0; i < cells.size() && !header.dated; ++i) {
    if (std::ranges::find(taken, i) != taken.end()) continue;
    if (parse_time(cells[i]) && !number_in(cells[i])) return header.names[i];
  }
  return "";
}

// Only the cells of columns that are taken must hold numbers.
std::string way_out_of_cell(OnError on_error, bool takes_all) {
  const std::string repair = "; repair it, or ";
  if (takes_all) return repair + "name the columns to take as data.series.columns='[...]'";
  return on_error == OnError::kSkip ? ""
                                    : repair + "set data.on_error: skip to leave such rows out";
}

// Fills in the times of a table's rows, and sees to it that they do not descend. Either all dates
// of a table are understood or none: one among others is a damaged row.
class RowTimes {
 public:
  RowTimes(CsvTable& table, OnError on_error) : table_(table), on_error_(on_error) {}

  // Returns what is wrong with the row, if anything; then nothing has been added.
  std::string append(std::string_view cell, std::int64_t line) {
    const std::optional<double> time = parse_time(cell);
    if (time && *time < latest_) {
      ++backwards_;
      return fmt::format(
          "the date {} lies before {} in a row above; rows must run from old to new: sort them, or "
          "set data.on_error: skip to leave such rows out",
          in_quotes(cell), time_text(latest_));
    }
    if (!time && is_read_) {
      return fmt::format(
          "the date {} is not understood, as those above are; repair it, or set data.on_error: "
          "skip "
          "to leave such rows out",
          in_quotes(cell));
    }
    // To leave rows out, it is too late for those above: they are counted.
    if (time && table_.unread_dates > 0 && on_error_ == OnError::kStop) {
      return fmt::format("the date {} is understood, and that of {} is not; write all in one way",
                         in_quotes(cell), table_.first_unread);
    }
    if (time) {
      latest_ = *time;
      is_read_ = true;
    } else if (table_.unread_dates++ == 0) {
      table_.first_unread = fmt::format("line {}: {}", line, in_quotes(cell));
    }
    table_.times.push_back(time.value_or(std::numeric_limits<double>::quiet_NaN()));
    return {};
  }

  std::int64_t backwards() const { return backwards_; }

 private:
  CsvTable& table_;
  OnError on_error_;
  bool is_read_ = false;  // a date was understood
  double latest_ = -std::numeric_limits<double>::infinity();
  std::int64_t backwards_ = 0;
};

// Where only blank lines follow, the file ends here.
bool only_blank_follows(CsvLines& lines, std::string& line) {
  while (lines.next(line)) {
    if (!trimmed(line).empty()) return false;
  }
  return true;
}

CsvTable read_table(CsvLines& lines, OnError on_error, const ColumnsOf& taken) {
  const Header header = read_header(lines);
  CsvTable table;
  std::vector<std::size_t> columns(header.names.size());
  std::iota(columns.begin(), columns.end(), std::size_t{0});
  if (taken) columns = taken(header.names);
  for (const std::size_t column : columns) table.names.push_back(header.names[column]);
  RowTimes times(table, on_error);
  const std::string way_out =
      way_out_of_cell(on_error, columns.size() > 1 && columns.size() == header.names.size());
  bool first_of_cell = false;
  const auto bad = [&](const Fault& fault) {
    if (on_error == OnError::kStop) throw DataError(fault.text + (fault.of_cell ? way_out : ""));
    if (table.skipped++ > 0) return;
    table.first_skipped = fault.text;
    first_of_cell = fault.of_cell;
  };
  std::string line;
  std::vector<std::string_view> cells;
  bool more = lines.next(line);
  while (more) {
    if (trimmed(line).empty()) {
      const std::string why = lines.where_line() + "is blank, and the table goes on after it";
      if (only_blank_follows(lines, line)) break;
      bad({why});
    }
    split_cells(line, cells);
    const std::size_t before = table.values.size();
    Fault fault = append_row(header, columns, cells, table.values);
    if (fault.text.empty() && header.dated) fault = {times.append(cells.front(), lines.number())};
    if (fault.text.empty()) {
      if (table.rows++ == 0) table.unnamed_dates = dates_beside(header, columns, cells);
    } else {
      table.values.resize(before);
      bad({lines.where_line() + fault.text, fault.of_cell});
    }
    more = lines.next(line);
  }
  if (table.rows == 0) {
    throw DataError(table.skipped == 0
                        ? lines.where() + "has a header and no rows"
                        : fmt::format("{}of {} none can be read; the first: {}{}", lines.where(),
                                      counted(table.skipped, "row"), table.first_skipped,
                                      first_of_cell ? way_out : ""));
  }
  if (times.backwards() > table.rows) {
    throw DataError(fmt::format(
        "{}its rows run from new to old: {} of {} lie before a row above them; sort it by date",
        lines.where(), times.backwards(), table.rows + table.skipped));
  }
  return table;
}

}  // namespace

CsvTable read_csv(const fs::path& path, OnError on_error, const CsvLimits& limits,
                  const ColumnsOf& taken) {
  CsvLines lines(path, limits);
  return read_table(lines, on_error, taken);
}

CsvTable read_csv_text(std::string text, const std::string& name, OnError on_error,
                       const CsvLimits& limits, const ColumnsOf& taken) {
  CsvLines lines(std::move(text), name, limits);
  return read_table(lines, on_error, taken);
}

CsvHead read_csv_head(const fs::path& path, const CsvLimits& limits) {
  constexpr std::size_t kRows = 32;
  CsvLines lines(path, limits);
  const Header header = read_header(lines);
  CsvHead head{.names = header.names};
  if (!header.dated) return head;
  std::vector<double> times;
  std::vector<std::string_view> cells;
  for (std::string line; times.size() < kRows && lines.next(line);) {
    split_cells(line, cells);
    const std::optional<double> time = parse_time(cells.front());
    if (time && (times.empty() || *time >= times.back())) times.push_back(*time);
    if (lines.number() > static_cast<std::int64_t>(2 * kRows)) break;
  }
  head.seconds = judge_steps(times).seconds;
  return head;
}

}  // namespace tbn
