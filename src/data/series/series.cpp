// Borders and standardisation of series, and the readers of the published ones.
#include "data/series/series.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "tbn/error.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMaxSteps = 1 << 20;

// A published series.
struct KnownSeries {
  const char* name;
  const char* file;
  const char* folder;  // of the usual collections, below their root
  std::int64_t columns;
  std::int64_t steps_per_hour;  // split by months; 0: by shares
};

constexpr KnownSeries kKnown[] = {
    {"etth1", "ETTh1.csv", "ETT-small", 7, 1},
    {"etth2", "ETTh2.csv", "ETT-small", 7, 1},
    {"ettm1", "ETTm1.csv", "ETT-small", 7, 4},
    {"ettm2", "ETTm2.csv", "ETT-small", 7, 4},
    {"weather", "weather.csv", "weather", 21, 0},
    {"electricity", "electricity.csv", "electricity", 321, 0},
    {"traffic", "traffic.csv", "traffic", 862, 0},
    {"exchange_rate", "exchange_rate.csv", "exchange_rate", 8, 0},
};

void check_steps(const char* key, std::int64_t value) {
  if (value >= 1 && value <= kMaxSteps) return;
  throw ConfigError(
      fmt::format("data.series.{}: {} steps; it must be 1 to {}", key, value, kMaxSteps));
}

SampleSpec series_spec(std::int64_t columns, const SeriesOptions& options) {
  check_steps("window", options.window);
  check_steps("horizon", options.horizon);
  SampleSpec spec;
  spec.input = {options.window, columns};
  spec.task = {.task = Task::kForecasting, .output = {options.horizon, columns}, .condition = 0};
  return spec;
}

void check_long_enough(const fs::path& path, std::int64_t rows, const SeriesRows& split,
                       const SeriesOptions& options) {
  const std::int64_t needed = split.train + split.validation + split.test;
  if (rows < needed) {
    throw DataError(fmt::format(
        "'{}': {} rows, but its training, validation and test ranges take {} + {} + {} = {}",
        path.string(), rows, split.train, split.validation, split.test, needed));
  }
  const std::int64_t span = options.window + options.horizon;
  const std::int64_t evaluated = std::min(split.validation, split.test);
  if (split.train >= span && evaluated >= options.horizon) return;
  throw DataError(fmt::format(
      "'{}': {} rows are too few: of {} training rows a sample takes window + horizon = {} + {} = "
      "{}, of {} validation and {} test rows its horizon of {}; make data.series.window or "
      "data.series.horizon smaller",
      path.string(), rows, split.train, options.window, options.horizon, span, split.validation,
      split.test, options.horizon));
}

DataSplits open_table(const fs::path& path, const DataOptions& options, const SplitRequest& request,
                      const KnownSeries* known) {
  const CsvTable table = read_csv(path, options.on_error);
  if (known != nullptr && table.columns() != known->columns) {
    throw DataError(
        fmt::format("'{}': {} columns of numbers, but data set '{}' has {}; read it as "
                    "data set 'csv'",
                    path.string(), table.columns(), known->name, known->columns));
  }
  series_spec(table.columns(), options.series);  // checks the options
  const bool by_months = known != nullptr && known->steps_per_hour > 0;
  const SeriesRows rows = by_months ? month_rows(known->steps_per_hour) : share_rows(table.rows);
  check_long_enough(path, table.rows, rows, options.series);
  const auto series = std::make_shared<const Series>(standardise(table, rows));
  const auto windows = [&](std::int64_t first, std::int64_t count) {
    return std::make_shared<const SeriesWindows>(series, first, first + count, options.series);
  };
  DataSplits splits;
  if (table.skipped > 0) {
    splits.notes.push_back(
        fmt::format("{} rows were left out; the first: {}", table.skipped, table.first_skipped));
  }
  if (request.train) {
    splits.train = windows(0, rows.train);
    splits.validation = windows(rows.train, rows.validation);
  }
  if (request.test) splits.test = windows(rows.train + rows.validation, rows.test);
  return splits;
}

DatasetReader known_reader(const KnownSeries& known) {
  DatasetReader reader;
  reader.name = known.name;
  reader.folders = {"", known.folder};
  reader.signs = {known.file};
  reader.describe = [&known](const DataOptions& options) {
    return series_spec(known.columns, options.series);
  };
  reader.open = [&known](const fs::path& folder, const DataOptions& options,
                         const SplitRequest& request) {
    return open_table(folder / known.file, options, request, &known);
  };
  return reader;
}

// The file that data.root means.
fs::path csv_file(const fs::path& root) {
  if (root.empty()) {
    throw ConfigError("data.root: data set 'csv' needs the .csv file, or a folder with one in it");
  }
  std::error_code error;
  if (!fs::is_directory(root, error)) return root;
  fs::path found;
  for (fs::directory_iterator it(root, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() != ".csv") continue;
    if (!found.empty()) {
      throw ConfigError(
          fmt::format("data.root: '{}' has more than one .csv file, {} and {} among "
                      "them; name the file",
                      root.string(), in_quotes(found.filename().string()),
                      in_quotes(it->path().filename().string())));
    }
    found = it->path();
  }
  if (error) throw SystemError(fmt::format("'{}': {}", root.string(), error.message()));
  if (found.empty()) throw DataError(fmt::format("'{}': no .csv file in it", root.string()));
  return found;
}

DatasetReader csv_reader() {
  DatasetReader reader;
  reader.name = "csv";
  reader.folders = {""};
  reader.describe = [](const DataOptions& options) {
    const auto names = read_csv_names(csv_file(options.root));
    return series_spec(static_cast<std::int64_t>(names.size()), options.series);
  };
  reader.open = [](const fs::path& root, const DataOptions& options, const SplitRequest& request) {
    return open_table(csv_file(root), options, request, nullptr);
  };
  return reader;
}

}  // namespace

SeriesRows share_rows(std::int64_t rows) {
  // As the published code: int(n * 0.7) and int(n * 0.2) in double.
  const auto n = static_cast<double>(rows);
  SeriesRows split{.train = static_cast<std::int64_t>(n * 0.7),
                   .validation = 0,
                   .test = static_cast<std::int64_t>(n * 0.2)};
  split.validation = rows - split.train - split.test;
  return split;
}

SeriesRows month_rows(std::int64_t steps_per_hour) {
  const std::int64_t month = 30 * 24 * steps_per_hour;
  return {.train = 12 * month, .validation = 4 * month, .test = 4 * month};
}

Series standardise(const CsvTable& table, const SeriesRows& rows) {
  Series series;
  series.rows = rows.train + rows.validation + rows.test;
  series.columns = table.columns();
  series.names = table.names;
  TBN_CHECK(rows.train > 0 && series.rows <= table.rows, "the table has the rows of the splits");
  const auto columns = static_cast<std::size_t>(series.columns);
  const std::size_t trained = static_cast<std::size_t>(rows.train) * columns;
  const auto count = static_cast<double>(rows.train);
  series.mean.assign(columns, 0);
  for (std::size_t i = 0; i < trained; ++i) series.mean[i % columns] += table.values[i];
  for (double& mean : series.mean) mean /= count;
  series.deviation.assign(columns, 0);
  for (std::size_t i = 0; i < trained; ++i) {
    const double difference = table.values[i] - series.mean[i % columns];
    series.deviation[i % columns] += difference * difference;
  }
  for (std::size_t c = 0; c < columns; ++c) {
    const double deviation = std::sqrt(series.deviation[c] / count);
    // What rounding leaves of a constant column is no scale.
    const double rounding =
        count * std::abs(series.mean[c]) * std::numeric_limits<double>::epsilon();
    series.deviation[c] = deviation > rounding ? deviation : 1;
  }
  series.values.resize(static_cast<std::size_t>(series.rows) * columns);
  for (std::size_t i = 0; i < series.values.size(); ++i) {
    const std::size_t c = i % columns;
    const double value = (table.values[i] - series.mean[c]) / series.deviation[c];
    if (std::abs(value) > static_cast<double>(std::numeric_limits<float>::max())) {
      throw DataError(
          fmt::format("column {}: the value {:g} of row {} is {:g} standard deviations "
                      "from the training rows' mean, more than a float can hold",
                      in_quotes(series.names[c]), table.values[i], i / columns + 1, value));
    }
    series.values[i] = static_cast<float>(value);
  }
  return series;
}

SeriesWindows::SeriesWindows(std::shared_ptr<const Series> series, std::int64_t first,
                             std::int64_t last, const SeriesOptions& options)
    : series_(std::move(series)),
      window_(options.window),
      horizon_(options.horizon),
      first_row_(std::max<std::int64_t>(0, first - options.window)),
      spec_(series_spec(series_->columns, options)) {
  TBN_CHECK(first >= 0 && last <= series_->rows, "the rows of a split are rows of the series");
  size_ = std::max<std::int64_t>(0, last - first_row_ - window_ - horizon_ + 1);
}

bool SeriesWindows::read(std::int64_t index, const ReadContext&, SampleOut out) const {
  TBN_CHECK(index >= 0 && index < size_, "the sample is one of the set");
  const float* const begin = series_->values.data() + first_row(index) * series_->columns;
  const float* const middle = begin + window_ * series_->columns;
  std::copy(begin, middle, out.values);
  if (out.targets != nullptr) std::copy(middle, middle + horizon_ * series_->columns, out.targets);
  return true;
}

std::vector<DatasetReader> series_readers() {
  std::vector<DatasetReader> readers;
  for (const KnownSeries& known : kKnown) readers.push_back(known_reader(known));
  readers.push_back(csv_reader());
  return readers;
}

}  // namespace tbn
