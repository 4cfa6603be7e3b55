// Borders and standardisation of series, and the readers of the published ones.
#include "data/series/series.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/counted.h"
#include "base/text.h"
#include "data/series/apply_rule.h"
#include "data/series/columns.h"
#include "data/series/time_axis.h"
#include "data/source/not_found.h"
#include "file/nearby.h"
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
  std::int64_t day;             // steps of it; 0: a step is a day
};

constexpr KnownSeries kKnown[] = {
    {"etth1", "ETTh1.csv", "ETT-small", 7, 1, 24},
    {"etth2", "ETTh2.csv", "ETT-small", 7, 1, 24},
    {"ettm1", "ETTm1.csv", "ETT-small", 7, 4, 96},
    {"ettm2", "ETTm2.csv", "ETT-small", 7, 4, 96},
    {"weather", "weather.csv", "weather", 21, 0, 144},
    {"electricity", "electricity.csv", "electricity", 321, 0, 24},
    {"traffic", "traffic.csv", "traffic", 862, 0, 24},
    {"exchange_rate", "exchange_rate.csv", "exchange_rate", 8, 0, 0},
};

void check_steps(const char* key, std::int64_t value) {
  if (value >= 1 && value <= kMaxSteps) return;
  throw ConfigError(fmt::format("data.series.{}: {}; it must be 1 to {}", key,
                                counted(value, "step"), kMaxSteps));
}

SampleSpec series_spec(std::int64_t columns, const SeriesOptions& options) {
  check_steps("window", options.window);
  check_steps("horizon", options.horizon);
  SampleSpec spec;
  spec.input = {options.window, columns};
  spec.task = {.task = Task::kForecasting, .output = {options.horizon, columns}, .condition = 0};
  spec.season = options.season;
  return spec;
}

// `options` with the season that they leave open: the steps of a day, where it has some.
SeriesOptions with_season(SeriesOptions options, const KnownSeries* known, double seconds) {
  if (options.season > 0) return options;
  constexpr double kDay = 86400;
  const double steps = known != nullptr ? static_cast<double>(known->day)
                       : seconds > 0    ? kDay / seconds
                                        : 0;
  const bool whole = steps >= 2 && steps <= kMaxSteps && std::round(steps) == steps;
  options.season = whole ? static_cast<std::int64_t>(steps) : 0;
  return options;
}

void check_long_enough(const fs::path& path, const CsvTable& table, const SeriesRows& split,
                       const SeriesOptions& options) {
  const std::int64_t needed = split.sum();
  const std::int64_t rows = table.rows;
  const std::string left_out = table.skipped == 0
                                   ? ""
                                   : fmt::format(" and {} that were left out (the first: {})",
                                                 table.skipped, table.first_skipped);
  if (rows < needed) {
    const bool is_recorded = options.rule && options.rule->rows.sum() > 0;
    throw DataError(fmt::format(
        "'{}': {}{}, but its training, validation and test ranges{} take {} + {} + {} = {}; "
        "{}",
        path.string(), counted(rows, "row"), left_out,
        is_recorded ? ", as the network recorded them," : "", split.train, split.validation,
        split.test, needed,
        is_recorded ? "bring back the table that it was trained on, with all of its rows"
                    : "bring back the rest of the table, or read it as data set 'csv'"));
  }
  const std::int64_t span = options.window + options.horizon;
  const std::int64_t evaluated = std::min(split.validation, split.test);
  if (split.train >= span && evaluated >= options.horizon) return;
  throw DataError(fmt::format(
      "'{}': {}{} are too few: of {} training rows a sample takes window + horizon = {} + {} "
      "= "
      "{}, of {} validation and {} test rows its horizon of {}; make data.series.window or "
      "data.series.horizon smaller",
      path.string(), counted(rows, "row"), left_out, split.train, options.window, options.horizon,
      span, split.validation, split.test, options.horizon));
}

void check_skipped(const CsvTable& table, const DataOptions& options, const fs::path& path) {
  const std::int64_t all = table.rows + table.skipped;
  if (static_cast<double>(table.skipped) <= options.skip_most * static_cast<double>(all)) return;
  throw DataError(fmt::format(
      "'{}': {} of {} rows cannot be read, more than the {:g} % that data.skip_most allows; the "
      "first: {}; repair them, or raise data.skip_most",
      path.string(), table.skipped, all, 100 * options.skip_most, table.first_skipped));
}

// The rule's rows, else those of a published series, else shares.
SeriesRows rows_of(const CsvTable& table, const SeriesOptions& options, const KnownSeries* known) {
  if (options.rule && options.rule->rows.sum() > 0) return options.rule->rows;
  const bool by_months = known != nullptr && known->steps_per_hour > 0;
  return by_months ? month_rows(known->steps_per_hour) : share_rows(table.rows);
}

// The table of the columns that are asked for, which alone must hold numbers; notes where the file
// shows them otherwise.
CsvTable chosen_table(const fs::path& path, const DataOptions& data, const KnownSeries* known,
                      const std::string& where, std::vector<std::string>& notes) {
  const SeriesOptions& options = data.series;
  const bool by_name = !options.columns.empty() || options.rule.has_value();
  const auto chosen = [&](const std::vector<std::string>& names) {
    if (known != nullptr && !by_name && std::ssize(names) != known->columns) {
      throw DataError(
          fmt::format("{}{} of numbers, but data set '{}' has {}; read it as data set 'csv'", where,
                      counted(std::ssize(names), "column"), known->name, known->columns));
    }
    ColumnChoice choice = choose_columns(names, options, where);
    notes.insert(notes.end(), choice.notes.begin(), choice.notes.end());
    return choice.columns;
  };
  CsvTable table = read_csv(path, data.on_error, {}, chosen);
  if (!by_name) check_no_index(table, where);
  return table;
}

void note_rows(const CsvTable& table, std::vector<std::string>& notes) {
  if (table.skipped > 0) {
    notes.push_back(fmt::format("{} left out; the first: {}",
                                counted(table.skipped, "row was", "rows were"),
                                table.first_skipped));
  }
  if (!table.unnamed_dates.empty()) {
    notes.push_back(fmt::format(
        "column {} holds dates, which are read from a first column named 'date' alone: whether the "
        "rows run from old to new is not checked",
        in_quotes(table.unnamed_dates)));
  }
  if (table.unread_dates > 0) {
    notes.push_back(fmt::format(
        "the dates of {} are none that are understood (the first: {}), so that their order is not "
        "checked",
        counted(table.unread_dates, "row"), table.first_unread));
  }
}

// How the rows become inputs: by the rule that is given, or by the table's own training rows.
SeriesRule rule_for(const CsvTable& table, const SeriesRows& rows, const SeriesOptions& options,
                    std::vector<std::string>& notes) {
  TimeSteps steps = judge_steps(table.times);
  notes.insert(notes.end(), steps.notes.begin(), steps.notes.end());
  SeriesRule rule{.columns = table.names,
                  .statistics = {},
                  .seconds = steps.seconds,
                  .rows = rows,
                  .chosen = !options.columns.empty()};
  if (options.rule) {
    const std::vector<std::string> differs = differences(table, *options.rule, rule);
    notes.insert(notes.end(), differs.begin(), differs.end());
    rule = completed(*options.rule, rule);
  }
  if (rule.statistics.mean.empty()) rule.statistics = measure(table, rows.train);
  return rule;
}

DataSplits open_table(const fs::path& path, const DataOptions& data, const SplitRequest& request,
                      const KnownSeries* known) {
  const std::string where = fmt::format("'{}': ", path.string());
  const SeriesOptions& options = data.series;
  DataSplits splits;
  const CsvTable table = chosen_table(path, data, known, where, splits.notes);
  check_skipped(table, data, path);
  series_spec(table.columns(), options);  // checks the options
  if (options.rule) check_rule(*options.rule, table.columns(), where);
  const SeriesRows rows = rows_of(table, options, known);
  check_long_enough(path, table, rows, options);
  note_rows(table, splits.notes);
  splits.series = rule_for(table, rows, options, splits.notes);

  const auto series =
      std::make_shared<const Series>(standardise(table, rows, splits.series->statistics));
  const SeriesOptions seasoned = with_season(options, known, splits.series->seconds);
  const auto windows = [&](std::int64_t first, std::int64_t count) {
    return std::make_shared<const SeriesWindows>(series, first, first + count, seasoned);
  };
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
  reader.marker_files = {known.file};
  reader.describe = [&known](const DataOptions& options) {
    return series_spec(chosen_columns(known.columns, options.series),
                       with_season(options.series, &known, 0));
  };
  reader.open = [&known](const fs::path& folder, const DataOptions& options,
                         const SplitRequest& request) {
    return open_table(folder / known.file, options, request, &known);
  };
  return reader;
}

// The file that data.root means.
fs::path csv_file(const DatasetReader& reader, const fs::path& root) {
  if (root.empty()) throw DataNotFound(not_found_text(reader, "data.root is empty"));
  std::error_code error;
  if (is_missing(root)) throw DataNotFound(not_found_text(reader, missing_text(root)));
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
  if (found.empty()) {
    throw DataNotFound(not_found_text(reader, fmt::format("no .csv file in '{}'", root.string())));
  }
  return found;
}

DatasetReader csv_reader() {
  DatasetReader reader;
  reader.name = "csv";
  reader.folders = {""};
  reader.own =
      "it is a .csv file of your own, a header of names and then rows of numbers from old to new, "
      "with 'date' as its first column if it has dates; set data.root to it, or to the folder that "
      "it is alone in";
  const DatasetReader named{.name = reader.name, .own = reader.own};
  reader.describe = [named](const DataOptions& options) {
    const CsvHead head = read_csv_head(csv_file(named, options.root));
    return series_spec(chosen_columns(std::ssize(head.names), options.series),
                       with_season(options.series, nullptr, head.seconds));
  };
  reader.open = [named](const fs::path& root, const DataOptions& options,
                        const SplitRequest& request) {
    return open_table(csv_file(named, root), options, request, nullptr);
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

SeriesStatistics measure(const CsvTable& table, std::int64_t rows) {
  TBN_CHECK(rows > 0 && rows <= table.rows, "the table has the rows to measure");
  const auto columns = static_cast<std::size_t>(table.columns());
  const std::size_t measured = static_cast<std::size_t>(rows) * columns;
  const auto count = static_cast<double>(rows);
  SeriesStatistics result{.mean = std::vector<double>(columns, 0),
                          .deviation = std::vector<double>(columns, 0)};
  for (std::size_t i = 0; i < measured; ++i) result.mean[i % columns] += table.values[i];
  for (double& mean : result.mean) mean /= count;
  for (std::size_t i = 0; i < measured; ++i) {
    const double difference = table.values[i] - result.mean[i % columns];
    result.deviation[i % columns] += difference * difference;
  }
  for (std::size_t c = 0; c < columns; ++c) {
    const double deviation = std::sqrt(result.deviation[c] / count);
    // What rounding leaves of a constant column is no scale.
    const double rounding =
        count * std::abs(result.mean[c]) * std::numeric_limits<double>::epsilon();
    result.deviation[c] = deviation > rounding ? deviation : 1;
  }
  return result;
}

Series standardise(const CsvTable& table, const SeriesRows& rows, SeriesStatistics statistics) {
  Series series;
  series.rows = rows.sum();
  series.columns = table.columns();
  series.names = table.names;
  series.statistics = std::move(statistics);
  TBN_CHECK(rows.train > 0 && series.rows <= table.rows, "the table has the rows of the splits");
  const auto columns = static_cast<std::size_t>(series.columns);
  const std::vector<double>& mean = series.statistics.mean;
  const std::vector<double>& deviation = series.statistics.deviation;
  TBN_CHECK(mean.size() == columns && deviation.size() == columns,
            "each column has its statistics");
  series.values.resize(static_cast<std::size_t>(series.rows) * columns);
  for (std::size_t i = 0; i < series.values.size(); ++i) {
    const std::size_t c = i % columns;
    const double value = (table.values[i] - mean[c]) / deviation[c];
    if (!(std::abs(value) <= static_cast<double>(std::numeric_limits<float>::max()))) {
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
