// Windows of series: borders against the published code's, computed by hand, and what they hold.
#include <cmath>
#include <filesystem>
#include <string>

#include "data/series/series.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_dir.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::test;

namespace {

DatasetReader reader_of(const std::string& name) {
  for (DatasetReader& reader : series_readers()) {
    if (reader.name == name) return reader;
  }
  throw std::runtime_error("no reader " + name);
}

// Rows 0, 1, 2, ...: column c holds (c + 1) * row + 10 * c.
std::string counting_csv(std::int64_t rows, std::int64_t columns) {
  std::string text = "date";
  for (std::int64_t c = 0; c < columns; ++c) text += ",c" + std::to_string(c);
  text += '\n';
  for (std::int64_t r = 0; r < rows; ++r) {
    text += 't';
    for (std::int64_t c = 0; c < columns; ++c) text += "," + std::to_string((c + 1) * r + 10 * c);
    text += '\n';
  }
  return text;
}

DataOptions options_of(std::int64_t window, std::int64_t horizon) {
  DataOptions options;
  options.series = {.window = window, .horizon = horizon};
  return options;
}

struct Sample {
  std::vector<float> input;
  std::vector<float> targets;
};

Sample sample_of(const Dataset& set, std::int64_t index) {
  Sample sample;
  sample.input.resize(static_cast<std::size_t>(element_count(set.spec().input)));
  sample.targets.resize(static_cast<std::size_t>(set.spec().targets()));
  REQUIRE(set.read(index, {}, {.values = sample.input.data(), .targets = sample.targets.data()}));
  return sample;
}

const SeriesWindows& windows(const std::shared_ptr<const Dataset>& set) {
  return dynamic_cast<const SeriesWindows&>(*set);
}

}  // namespace

TEST_CASE("months and shares split as the published code does") {
  const SeriesRows hours = month_rows(1);
  CHECK(hours.train == 8640);
  CHECK(hours.validation == 2880);
  CHECK(hours.test == 2880);
  const SeriesRows quarters = month_rows(4);
  CHECK(quarters.train == 34560);
  CHECK(quarters.validation == 11520);
  // The rows of weather, electricity, traffic and exchange_rate.
  CHECK(share_rows(52696).train == 36887);
  CHECK(share_rows(52696).test == 10539);
  CHECK(share_rows(52696).validation == 5270);
  CHECK(share_rows(26304).train == 18412);
  CHECK(share_rows(26304).test == 5260);
  CHECK(share_rows(17544).train == 12280);
  CHECK(share_rows(7588).train == 5311);
  // 0.7 is a little less than 7 / 10 in binary, but 10 * 0.7 rounds to 7.
  CHECK(share_rows(10).train == 7);
  CHECK(share_rows(10).test == 2);
  CHECK(share_rows(10).validation == 1);
}

TEST_CASE("a year and eight months of hours make the usual numbers of ETTh1 windows") {
  TempDir dir;
  write_file(dir / "ETTh1.csv", counting_csv(17420, 7));
  const DataOptions options = options_of(336, 96);
  const DatasetReader reader = reader_of("etth1");
  const DataSplits splits = reader.open(dir.path(), options, {});
  CHECK(splits.train->size() == 8640 - 336 - 96 + 1);  // 8209
  CHECK(splits.validation->size() == 2880 - 96 + 1);   // 2785
  CHECK(splits.test->size() == 2880 - 96 + 1);
  CHECK_FALSE(splits.statistics.has_value());

  // border1s = [0, 8640 - 336, 11520 - 336] of the published code.
  CHECK(windows(splits.train).first_row(0) == 0);
  CHECK(windows(splits.validation).first_row(0) == 8304);
  CHECK(windows(splits.test).first_row(0) == 11184);
  // The last target rows end at 8640, 11520 and 14400.
  CHECK(windows(splits.train).first_row(8208) + 336 + 96 == 8640);
  CHECK(windows(splits.validation).first_row(2784) + 336 + 96 == 11520);
  CHECK(windows(splits.test).first_row(2784) + 336 + 96 == 14400);

  const SampleSpec& spec = splits.test->spec();
  CHECK(spec.input == Shape{336, 7});
  CHECK(spec.task.output == Shape{96, 7});
  CHECK(spec.task.task == Task::kForecasting);
  CHECK(spec.targets() == 96 * 7);
  CHECK(spec.labels() == 0);
  CHECK(spec.classes() == 0);
  CHECK(reader.describe(options).input == spec.input);
  CHECK(reader.describe(options).task.output == spec.task.output);
}

TEST_CASE("a window holds its rows, standardised by the training rows, and the rows that follow") {
  TempDir dir;
  write_file(dir / "a.csv", counting_csv(100, 2));
  const DataSplits splits = reader_of("csv").open(dir.path(), options_of(5, 3), {});
  CHECK(splits.train->size() == 70 - 5 - 3 + 1);
  CHECK(splits.validation->size() == 10 - 3 + 1);
  CHECK(splits.test->size() == 20 - 3 + 1);

  // The integers 0 .. n - 1 have mean (n - 1) / 2 and population variance (n^2 - 1) / 12. Column 1
  // is a linear function of column 0, so that both are the same once standardised.
  const double mean = 69.0 / 2;
  const double deviation = std::sqrt((70.0 * 70 - 1) / 12);
  const auto at = [&](std::int64_t row) { return (static_cast<double>(row) - mean) / deviation; };
  const Series& series = windows(splits.train).series();
  CHECK(series.statistics.mean[0] == Approx(mean));
  CHECK(series.statistics.mean[1] == Approx(2 * mean + 10));
  CHECK(series.statistics.deviation[1] == Approx(2 * deviation));

  const auto check = [&](const Dataset& set, std::int64_t index, std::int64_t first_row) {
    const Sample sample = sample_of(set, index);
    for (std::int64_t t = 0; t < 8; ++t) {
      const float* const row =
          t < 5 ? sample.input.data() + 2 * t : sample.targets.data() + 2 * (t - 5);
      CHECK(row[0] == Approx(at(first_row + t)));
      CHECK(row[1] == Approx(at(first_row + t)));
    }
  };
  check(*splits.train, 0, 0);
  check(*splits.train, 62, 62);
  check(*splits.validation, 0, 65);
  check(*splits.validation, 7, 72);
  check(*splits.test, 0, 75);
  check(*splits.test, 17, 92);
}

TEST_CASE("a column that is constant in training is shifted and not scaled") {
  CsvTable table;
  table.names = {"constant", "tenths"};
  table.rows = 4;
  table.values = {3, 0.1, 3, 0.1, 3, 0.1, 5, 0.4};
  const Series series =
      standardise(table, {.train = 3, .validation = 0, .test = 1}, measure(table, 3));
  CHECK(series.statistics.deviation == std::vector<double>{1, 1});
  CHECK(series.values[0] == 0);
  CHECK(series.values[6] == 2);
  CHECK(series.values[7] == Approx(0.3));
}

TEST_CASE("a value that no float holds once standardised is refused") {
  CsvTable table;
  table.names = {"a"};
  table.rows = 3;
  table.values = {0, 1e-30, 1e38};
  const std::string error = message_of<DataError>(
      [&] { standardise(table, {.train = 2, .validation = 0, .test = 1}, measure(table, 2)); });
  CHECK(says(error, {"column 'a'", "1e+38 of row 3"}));
}

TEST_CASE("only the splits that were asked for are made") {
  TempDir dir;
  write_file(dir / "a.csv", counting_csv(100, 1));
  const DatasetReader reader = reader_of("csv");
  const DataSplits test = reader.open(dir.path(), options_of(5, 3), {.train = false});
  CHECK(test.train == nullptr);
  CHECK(test.validation == nullptr);
  CHECK(test.test->size() == 18);
  const DataSplits train = reader.open(dir / "a.csv", options_of(5, 3), {.test = false});
  CHECK(train.test == nullptr);
  CHECK(train.validation->size() == 8);
  // The same series whichever splits are asked for.
  CHECK(windows(train.train).series().statistics.mean ==
        windows(test.test).series().statistics.mean);
}

TEST_CASE("a table shorter than the recorded borders is refused with them and the rows left out") {
  TempDir dir;
  write_file(dir / "a.csv", counting_csv(95, 1) + "t,damaged\n");
  DataOptions options = options_of(5, 3);
  options.on_error = OnError::kSkip;
  options.skip_most = 1;
  options.series.rule = SeriesRule{.rows = {.train = 70, .validation = 10, .test = 20}};
  const DatasetReader csv = reader_of("csv");
  CHECK(says(message_of<DataError>([&] { csv.open(dir.path(), options, {}); }),
             {"a.csv': 95 rows and 1 that were left out (the first: ", "line 97",
              "as the network recorded them, take 70 + 10 + 20 = 100; bring back the table"}));
  options.series.rule.reset();
  CHECK_NOTHROW(csv.open(dir.path(), options, {}));
}

TEST_CASE("a series that is too short is refused with the numbers") {
  TempDir dir;
  write_file(dir / "a.csv", counting_csv(100, 2));
  const DatasetReader csv = reader_of("csv");
  const auto error = [&](std::int64_t window, std::int64_t horizon) {
    return message_of<DataError>([&] { csv.open(dir.path(), options_of(window, horizon), {}); });
  };
  CHECK(says(error(68, 3), {"a.csv': 100 rows are too few", "of 70 training rows",
                            "window + horizon = 68 + 3 = 71", "make data.series.window"}));
  CHECK(says(error(2, 11), {"of 10 validation and 20 test rows its horizon of 11"}));
  CHECK_NOTHROW(csv.open(dir.path(), options_of(60, 10), {}));

  write_file(dir / "ETTh2.csv", counting_csv(14399, 7));
  CHECK(says(
      message_of<DataError>([&] { reader_of("etth2").open(dir.path(), options_of(336, 96), {}); }),
      {"ETTh2.csv': 14,399 rows", "8640 + 2880 + 2880 = 14400"}));
}

TEST_CASE("a published series has its number of columns") {
  TempDir dir;
  write_file(dir / "weather.csv", counting_csv(100, 20));
  CHECK(says(
      message_of<DataError>([&] { reader_of("weather").open(dir.path(), options_of(5, 3), {}); }),
      {"20 columns of numbers, but data set 'weather' has 21"}));
  const auto columns = [](const std::string& name) {
    return reader_of(name).describe(options_of(8, 4)).input;
  };
  CHECK(columns("ettm2") == Shape{8, 7});
  CHECK(columns("weather") == Shape{8, 21});
  CHECK(columns("electricity") == Shape{8, 321});
  CHECK(columns("traffic") == Shape{8, 862});
  CHECK(columns("exchange_rate") == Shape{8, 8});
}

TEST_CASE("windows and horizons that make no sample are refused") {
  const DatasetReader reader = reader_of("etth1");
  const auto error = [&](std::int64_t window, std::int64_t horizon) {
    return message_of<ConfigError>([&] { reader.describe(options_of(window, horizon)); });
  };
  CHECK(error(0, 96) == "data.series.window: 0 steps; it must be 1 to 1048576");
  CHECK(error(336, -1) == "data.series.horizon: -1 steps; it must be 1 to 1048576");
  CHECK(says(error(1, std::int64_t{1} << 40), {"data.series.horizon: 1,099,511,627,776 steps"}));
}

TEST_CASE("any table is read as `csv` from the file or from its folder") {
  TempDir dir;
  write_file(dir / "one/a.csv", counting_csv(60, 3));
  write_file(dir / "one/readme.txt", "no table");
  const DatasetReader reader = reader_of("csv");
  DataOptions options = options_of(5, 3);
  options.root = dir / "one";
  CHECK(reader.describe(options).input == Shape{5, 3});
  options.root = dir / "one/a.csv";
  CHECK(reader.describe(options).input == Shape{5, 3});

  options.root.clear();
  CHECK(says(message_of<DataError>([&] { reader.describe(options); }), {"data.root is empty"}));
  options.root = dir / "none.csv";
  CHECK(says(message_of<DataError>([&] { reader.describe(options); }),
             {"there is no '" + (dir / "none.csv").string()}));
  std::filesystem::create_directory(dir / "empty");
  options.root = dir / "empty";
  CHECK(says(message_of<DataError>([&] { reader.describe(options); }), {"no .csv file in '"}));
  write_file(dir / "one/b.csv", "a\n1\n");
  options.root = dir / "one";
  CHECK(says(message_of<ConfigError>([&] { reader.describe(options); }),
             {"more than one .csv file", "'a.csv'", "'b.csv'"}));
}

TEST_CASE("a bad row stops the reading or is removed before the series is split") {
  TempDir dir;
  std::string text = counting_csv(100, 1);
  const std::size_t at = text.find("\nt,50\n");
  text.replace(at, 6, "\nt,?\n");
  write_file(dir / "a.csv", text);
  const DatasetReader reader = reader_of("csv");
  DataOptions options = options_of(5, 3);
  CHECK(says(message_of<DataError>([&] { reader.open(dir.path(), options, {}); }),
             {"a.csv': line 52: column 2 ('c0'): '?' is not a number"}));
  options.on_error = OnError::kSkip;
  const DataSplits splits = reader.open(dir.path(), options, {});
  CHECK(splits.train->size() == 69 - 5 - 3 + 1);  // of 99 rows: 69, 11 and 19
  CHECK(splits.test->size() == 19 - 3 + 1);
  const Series& series = windows(splits.train).series();
  const double step = (series.values[51] - series.values[50]) * series.statistics.deviation[0];
  CHECK(step == Approx(1).epsilon(1e-4));  // 51 and 52
  CHECK((series.values[50] - series.values[49]) * series.statistics.deviation[0] ==
        Approx(2).epsilon(1e-4));
  options.skip_most = 0.005;
  CHECK(says(message_of<DataError>([&] { reader.open(dir.path(), options, {}); }),
             {"a.csv': 1 of 100 rows cannot be read, more than the 0.5 % that data.skip_most "
              "allows; the first: ",
              "line 52"}));
}
