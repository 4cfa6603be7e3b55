// Series as Datasets: windows of a table's rows, standardised, with the rows that follow as
// targets. Splits and borders are those of the Autoformer and DLinear code, so that errors compare.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/series/csv_table.h"
#include "data/source/dataset.h"
#include "data/source/options.h"
#include "data/source/reader.h"

namespace tbn {

// 70 % training and 20 % test, both rounded down; validation is the rest.
SeriesRows share_rows(std::int64_t rows);
// 12, 4 and 4 months of 30 days, with the given number of steps per hour.
SeriesRows month_rows(std::int64_t steps_per_hour);

// Standardised values, shared by all windows of a series.
struct Series {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<float> values;       // [rows, columns]: (raw - mean) / deviation
  SeriesStatistics statistics;     // [columns] each: what they were standardised by
  std::vector<std::string> names;  // [columns]
};

// The statistics of the first `rows` rows of a table.
SeriesStatistics measure(const CsvTable& table, std::int64_t rows);

// Keeps the first rows that `rows` covers; the table must have them. Throws DataError where a value
// is more deviations from the mean than a float holds.
Series standardise(const CsvTable& table, const SeriesRows& rows, SeriesStatistics statistics);

// All windows, one per step, whose targets lie in rows [first, last). Their inputs may begin up to
// `window` steps before `first`, but not before the series.
class SeriesWindows final : public Dataset {
 public:
  SeriesWindows(std::shared_ptr<const Series> series, std::int64_t first, std::int64_t last,
                const SeriesOptions& options);
  const SampleSpec& spec() const override { return spec_; }
  std::int64_t size() const override { return size_; }
  bool read(std::int64_t index, const ReadContext& context, SampleOut out) const override;

  // The row that the window of sample `index` begins at.
  std::int64_t first_row(std::int64_t index) const { return first_row_ + index; }
  const Series& series() const { return *series_; }

 private:
  std::shared_ptr<const Series> series_;
  std::int64_t window_ = 0;
  std::int64_t horizon_ = 0;
  std::int64_t first_row_ = 0;
  std::int64_t size_ = 0;
  SampleSpec spec_;
};

// etth1, etth2, ettm1, ettm2, weather, electricity, traffic, exchange_rate, and `csv`: any table,
// data.root being the file or a folder with no other .csv in it. With data.on_error `skip` a bad
// row is removed from the series before it is split, so that the rows around it become neighbours.
//
// DataSplits::series says how the rows were read, and DataOptions::series.rule has them read like
// that again: columns by name, standardised by the rule's statistics, split at the rule's rows.
// What the table then differs in is in the notes: the order of its columns, more rows, another
// step, and values that must be of other units.
std::vector<DatasetReader> series_readers();

}  // namespace tbn
