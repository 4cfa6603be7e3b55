// A metrics table that grows by rows, as a CSV file: the header is fixed when it is made, every row
// is on its way to the disk when write() returns, and a resumed run cuts what it will write again.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tbn {

// An empty cell, a whole number, a number (shortest text that reads back the same), or a text.
using CsvCell = std::variant<std::monostate, std::int64_t, double, std::string>;

class CsvLog {
 public:
  // Begins the file anew with a header. Throws SystemError.
  static CsvLog create(const std::filesystem::path& path, const std::vector<std::string>& columns);

  // Continues a file: keeps the rows whose cell in `key` is at most `last`, drops the later ones
  // and a half-written last line (written aside, then renamed), and appends from there. A missing
  // file is begun anew. Throws DataError when the file has other columns or is damaged.
  static CsvLog resume(const std::filesystem::path& path, const std::vector<std::string>& columns,
                       std::string_view key, std::int64_t last);

  // Appends a row, one cell per column. Throws SystemError, on a full disk for instance.
  void write(std::span<const CsvCell> row);
  void write(std::initializer_list<CsvCell> row) { write(std::span(row.begin(), row.size())); }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  CsvLog(std::filesystem::path path, std::size_t columns);

  std::filesystem::path path_;
  std::size_t columns_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace tbn
