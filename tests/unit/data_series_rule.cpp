// A table read again by the rule of the network that it trained: whatever happened to the file in
// between, a sample is what it was, or the user is told why not.
#include <cmath>
#include <functional>

#include "data/series/series.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_dir.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::test;

namespace {

using Names = std::vector<std::string>;
using Columns = std::function<double(const std::string& name, std::int64_t row)>;

constexpr std::int64_t kRows = 100;

double value_of(const std::string& name, std::int64_t row) {
  const double phase = static_cast<double>(name.back());
  return 10 * phase + std::sin(0.3 * static_cast<double>(row) + phase) * phase;
}

std::string hour(std::int64_t row) {
  return "2016-07-" + std::to_string(1 + row / 24) + " " + std::to_string(row % 24) + ":00";
}

std::string csv_of(const Names& names, std::int64_t rows = kRows, const Columns& value = value_of) {
  std::string text = "date";
  for (const std::string& name : names) text += "," + name;
  text += '\n';
  for (std::int64_t row = 0; row < rows; ++row) {
    text += hour(row);
    for (const std::string& name : names) text += "," + std::to_string(value(name, row));
    text += '\n';
  }
  return text;
}

struct Fixture {
  TempDir dir;
  DataOptions options;

  Fixture() { options.series = {.window = 5, .horizon = 3}; }

  DataSplits open(const std::string& text) {
    write_file(dir / "a.csv", text);
    options.root = dir / "a.csv";
    for (const DatasetReader& reader : series_readers()) {
      if (reader.name == "csv") return reader.open(options.root, options, {});
    }
    throw std::runtime_error("no reader");
  }
  // Reads a table and takes its rule for what is read next.
  DataSplits train(const std::string& text) {
    DataSplits splits = open(text);
    options.series.rule = splits.series;
    return splits;
  }
  template <class E>
  std::string error(const std::string& text) {
    return message_of<E>([&] { open(text); });
  }
};

std::vector<float> all_samples(const Dataset& set) {
  std::vector<float> values;
  std::vector<float> input(static_cast<std::size_t>(element_count(set.spec().input)));
  std::vector<float> targets(static_cast<std::size_t>(set.spec().targets()));
  for (std::int64_t i = 0; i < set.size(); ++i) {
    REQUIRE(set.read(i, {}, {.values = input.data(), .targets = targets.data()}));
    values.insert(values.end(), input.begin(), input.end());
    values.insert(values.end(), targets.begin(), targets.end());
  }
  return values;
}

bool same_samples(const DataSplits& a, const DataSplits& b) {
  return all_samples(*a.train) == all_samples(*b.train) &&
         all_samples(*a.validation) == all_samples(*b.validation) &&
         all_samples(*a.test) == all_samples(*b.test);
}

const std::string kTable = csv_of({"a", "b", "c"});

}  // namespace

TEST_CASE("a series says by which rule its rows became inputs") {
  Fixture f;
  const DataSplits splits = f.open(kTable);
  REQUIRE(splits.series);
  CHECK(splits.series->columns == Names{"a", "b", "c"});
  CHECK(splits.series->seconds == 3600);
  CHECK(splits.series->rows == SeriesRows{70, 10, 20});
  CHECK(splits.series->statistics.mean.size() == 3);
  CHECK_FALSE(splits.series->chosen);
  CHECK(splits.notes.empty());
}

TEST_CASE("a table is read by its own rule as it was without") {
  Fixture f;
  const DataSplits trained = f.train(kTable);
  const DataSplits again = f.open(kTable);
  CHECK(same_samples(trained, again));
  CHECK(again.notes.empty());
  CHECK(again.series == trained.series);
}

TEST_CASE("a table that grew keeps the splits that the network was measured on") {
  Fixture f;
  const DataSplits trained = f.train(kTable);
  const DataSplits grown = f.open(csv_of({"a", "b", "c"}, 130));
  CHECK(same_samples(trained, grown));
  REQUIRE(grown.notes.size() == 1);
  CHECK(says(grown.notes[0], {"130 rows", "measured on 100"}));
  CHECK(says(f.error<DataError>(csv_of({"a", "b", "c"}, 99)), {"99 rows", "70 + 10 + 20 = 100"}));
}

TEST_CASE("columns in another order are taken by name, with a note") {
  Fixture f;
  const DataSplits trained = f.train(kTable);
  for (const Names& names : {Names{"b", "a", "c"}, {"c", "b", "a"}, {"b", "c", "a"}}) {
    const DataSplits permuted = f.open(csv_of(names));
    CHECK(same_samples(trained, permuted));
    REQUIRE(permuted.notes.size() == 1);
    CHECK(says(permuted.notes[0], {"another order", "by its name"}));
  }
}

TEST_CASE("columns that are missing or too many are refused by name") {
  Fixture f;
  f.train(kTable);
  CHECK(says(f.error<DataError>(csv_of({"a", "c"})),
             {"a.csv': has no column 'b', of the 3 that the network takes;",
              "data.series.columns='[...]'"}));
  CHECK(says(f.error<DataError>(csv_of({"a", "B", "c"})),
             {"no column 'b'", "but 'B' (did you mean 'B'?)"}));
  CHECK(says(f.error<DataError>(csv_of({"a", "b", "x", "c"})),
             {"4 columns where the network takes 3: 1 too many ('x')"}));
  CHECK(says(f.error<DataError>(csv_of({"a", "b", "c", "c"})), {"4 columns", "names repeat"}));
}

TEST_CASE("columns that the user names are taken from tables that have more, or other names") {
  Fixture f;
  const DataSplits trained = f.train(kTable);
  f.options.series.columns = {"a", "b", "c"};
  CHECK(same_samples(trained, f.open(csv_of({"x", "c", "b", "a"}))));
  f.options.series.columns = {"c", "a", "b"};  // the same names: the network's order
  CHECK(same_samples(trained, f.open(csv_of({"x", "c", "b", "a"}))));

  f.options.series.columns = {"a", "2nd b", "c"};
  const DataSplits renamed = f.open(csv_of({"x", "c", "2nd b", "a"}));
  CHECK(same_samples(trained, renamed));
  REQUIRE(renamed.notes.size() == 1);
  CHECK(says(renamed.notes[0], {"'2nd b' for 'b'"}));

  f.options.series.columns = {"a", "b"};
  CHECK(says(f.error<ConfigError>(kTable), {"names 2 columns, and the network takes 3"}));
}

TEST_CASE("training on chosen columns says so, and tables may have others from then on") {
  Fixture f;
  f.options.series.columns = {"c", "a"};
  const DataSplits trained = f.train(kTable);
  CHECK(trained.series->chosen);
  CHECK(trained.series->columns == Names{"c", "a"});
  CHECK(trained.test->spec().input == Shape{5, 2});
  f.options.series.columns.clear();
  CHECK(same_samples(trained, f.open(csv_of({"b", "a", "x", "c"}))));
  CHECK(says(f.error<DataError>(csv_of({"b", "a"})), {"no column 'c'"}));

  Fixture wrong;
  wrong.options.series.columns = {"a", "d"};
  CHECK(says(wrong.error<ConfigError>(kTable), {"no column 'd'; it has 'a', 'b', 'c'"}));
  wrong.options.series.columns = {"A"};
  CHECK(
      says(wrong.error<ConfigError>(kTable), {"no column 'A' (did you mean 'a'?); it has 'a', "}));
  wrong.options.series.columns = {"a", "a"};
  CHECK(says(wrong.error<ConfigError>(kTable), {"named twice"}));
  wrong.options.series.columns = {"a"};
  CHECK(says(wrong.error<ConfigError>(csv_of({"a", "a"})), {"2 columns are named 'a'"}));
}

TEST_CASE("repeated names are taken by place") {
  Fixture f;
  const std::string table = csv_of({"a", "a", "c"});
  const DataSplits trained = f.train(table);
  const DataSplits again = f.open(table);
  CHECK(same_samples(trained, again));
  CHECK(again.notes.empty());
  const DataSplits other = f.open(csv_of({"a", "c", "a"}));
  REQUIRE_FALSE(other.notes.empty());
  CHECK(says(other.notes[0], {"repeat", "by their place"}));
}

TEST_CASE("a name that is twice in a header is noted") {
  Fixture f;
  const DataSplits splits = f.open(csv_of({"a", "c", "a"}));
  REQUIRE(splits.notes.size() == 1);
  CHECK(says(splits.notes[0], {"2 columns are named 'a'", "by their place"}));
  CHECK(f.open(csv_of({"a", "c", "d"})).notes.empty());
}

TEST_CASE("only the columns that are taken must hold numbers") {
  Fixture f;
  f.options.series.columns = {"b", "a"};
  const DataSplits plain = f.open(csv_of({"a", "b"}));
  std::string text = "date,a,state,b,note\n";
  for (std::int64_t row = 0; row < kRows; ++row) {
    text += hour(row) + "," + std::to_string(value_of("a", row)) + ",\"on, or off\"," +
            std::to_string(value_of("b", row)) + (row % 2 == 0 ? ",\n" : ",nan\n");
  }
  const DataSplits among = f.open(text);
  CHECK(same_samples(among, plain));
  CHECK(among.series->columns == Names{"b", "a"});
  f.options.series.rule = among.series;  // a network that took them once takes them again
  f.options.series.columns = {};
  CHECK(same_samples(f.open(text), plain));
  f.options.series = {.window = 5, .horizon = 3};
  CHECK(says(f.error<DataError>(text), {"line 2: column 3 ('state')", "is not a number"}));
  f.options.series.columns = {"a", "note"};
  CHECK(says(f.error<DataError>(text), {"line 2: column 5 ('note')", "is empty"}));
}

TEST_CASE("values of other units are noted, and the network's statistics are used") {
  Fixture f;
  const DataSplits trained = f.train(kTable);
  const DataSplits scaled = f.open(csv_of({"a", "b", "c"}, kRows, [](const auto& name, auto row) {
    return (name == "b" ? 1000 : 1) * value_of(name, row) + (name == "b" ? 50000 : 0);
  }));
  CHECK(scaled.series->statistics == trained.series->statistics);
  CHECK_FALSE(same_samples(trained, scaled));
  REQUIRE(scaled.notes.size() == 1);
  CHECK(says(scaled.notes[0], {"1 of 3 columns", "'b' has mean"}));

  const auto times = [](double factor) {
    return csv_of({"a", "b", "c"}, kRows, [factor](const auto& name, auto row) {
      const double middle = 10 * static_cast<double>(name.back());
      return middle + factor * (value_of(name, row) - middle);
    });
  };
  CHECK(f.open(times(2.9)).notes.empty());
  CHECK(f.open(times(3.1)).notes.size() == 1);
  CHECK(f.open(times(0.36)).notes.empty());
  CHECK(f.open(times(0.3)).notes.size() == 1);
}

TEST_CASE("another step than the network was trained on is noted") {
  Fixture f;
  f.train(kTable);
  f.options.series.rule->seconds = 900;
  const DataSplits splits = f.open(kTable);
  REQUIRE(splits.notes.size() == 1);
  CHECK(says(splits.notes[0], {"3600 s apart", "steps of 900 s"}));
}

TEST_CASE("a rule that says a part leaves the rest to the table") {
  Fixture f;
  const DataSplits trained = f.open(kTable);
  f.options.series.rule = SeriesRule{};
  CHECK(same_samples(trained, f.open(kTable)));
  f.options.series.rule->rows = {60, 20, 20};
  const DataSplits other = f.open(kTable);
  CHECK(other.train->size() == 60 - 5 - 3 + 1);
  CHECK(other.series->columns == Names{"a", "b", "c"});
}

TEST_CASE("rules that no training makes are refused") {
  Fixture f;
  const SeriesRule good = *f.train(kTable).series;
  const auto error = [&](const std::function<void(SeriesRule&)>& spoil) {
    f.options.series.rule = good;
    spoil(*f.options.series.rule);
    return f.error<DataError>(kTable);
  };
  CHECK(says(error([](SeriesRule& r) { r.statistics.mean.pop_back(); }), {"2 means and 3"}));
  CHECK(says(error([](SeriesRule& r) { r.statistics.deviation.clear(); }), {"3 means and 0"}));
  CHECK(says(error([](SeriesRule& r) { r.statistics.deviation[1] = 0; }), {"column 2"}));
  CHECK(says(error([](SeriesRule& r) { r.statistics.deviation[1] = -1; }), {"column 2"}));
  CHECK(says(error([](SeriesRule& r) { r.statistics.mean[2] = NAN; }), {"column 3"}));
  CHECK(says(error([](SeriesRule& r) { r.rows.train = -5; }), {"splits at -5, 10 and 20"}));
  CHECK(says(error([](SeriesRule& r) { r.rows.test = INT64_MAX; }), {"splits at 70, 10"}));
}

TEST_CASE("rows back in time are refused, or left out where bad rows are") {
  const auto swapped = [](std::int64_t at) {
    std::string text = "date,a\n";
    for (std::int64_t row = 0; row < kRows; ++row) {
      const std::int64_t shown = row == at ? at + 1 : row == at + 1 ? at : row;
      text += hour(shown) + "," + std::to_string(value_of("a", shown)) + "\n";
    }
    return text;
  };
  Fixture f;
  CHECK(says(f.error<DataError>(swapped(50)),
             {"a.csv': line 53: the date '2016-07-3 2:00' lies before 2016-07-03 03:00:00",
              "data.on_error: skip"}));
  f.options.on_error = OnError::kSkip;
  const DataSplits splits = f.open(swapped(50));
  CHECK(splits.series->rows.sum() == kRows - 1);
  REQUIRE(splits.notes.size() == 2);
  CHECK(says(splits.notes[0], {"1 row was left out", "line 53"}));
  CHECK(says(splits.notes[1], {"rows are missing 1 time"}));
}

TEST_CASE("a table from new to old is refused") {
  std::string text = "date,a\n";
  for (std::int64_t row = kRows; row-- > 0;) {
    text += hour(row) + "," + std::to_string(value_of("a", row)) + "\n";
  }
  Fixture f;
  CHECK(says(f.error<DataError>(text), {"line 3", "rows must run from old to new"}));
  f.options.on_error = OnError::kSkip;
  CHECK(says(f.error<DataError>(text), {"run from new to old", "99 of 100", "sort it"}));
}

TEST_CASE("an index or a time stamp among the columns is refused") {
  const auto table = [](const std::string& header, double first, double step, bool dated) {
    std::string text = (dated ? "date," : "") + header + "\n";
    for (std::int64_t row = 0; row < kRows; ++row) {
      text += (dated ? hour(row) + "," : "") +
              std::to_string(first + step * static_cast<double>(row)) + "," +
              std::to_string(value_of("a", row)) + "\n";
    }
    return text;
  };
  Fixture f;
  CHECK(says(f.error<DataError>(table(",a", 0, 1, false)),
             {"the first column, 'column 1', changes by 1 from row to row",
              "data.series.columns='[...]'"}));
  CHECK(says(f.error<DataError>(table("id,a", 100, -1, false)), {"'id'", "by -1"}));
  CHECK(says(f.error<DataError>(table("time,a", 1467331200, 3600, false)), {"by 3600"}));
  CHECK_NOTHROW(f.open(table("slope,a", 0, 1, true)));
  CHECK(says(f.error<DataError>(",date,a\n0,2016-07-01,5\n"), {"'date' is column 2", "index"}));
  CHECK(says(f.error<DataError>("when,a\n2016-07-01,5\n"), {"is a date", "must be named 'date'"}));
  f.options.series.columns = {"a"};
  CHECK(f.open(table("id,a", 0, 1, false)).test->spec().input == Shape{5, 1});
}

TEST_CASE("a date that is not understood among others is refused, and noted where none is") {
  std::string text = kTable;
  text.replace(text.find("2016-07-1 5:00"), 14, "the first at 5");
  Fixture f;
  CHECK(says(f.error<DataError>(text), {"line 7: the date 'the first at 5' is not understood"}));
  f.options.on_error = OnError::kSkip;
  const DataSplits splits = f.open(text);
  REQUIRE(splits.notes.size() == 2);
  CHECK(says(splits.notes[0], {"1 row was left out", "line 7: the date 'the first at 5'"}));
  CHECK(says(splits.notes[1], {"rows are missing 1 time"}));
  f.options.on_error = OnError::kStop;
  text = kTable;
  for (std::size_t at = 0; (at = text.find("2016-07-", at)) != std::string::npos;) {
    text.replace(at, 8, "day no. ");
  }
  const std::vector<std::string> notes = f.open(text).notes;
  REQUIRE(notes.size() == 1);
  CHECK(says(notes[0], {"none that are understood (the first: line 2: 'day no. "}));
}

TEST_CASE("dates in a column of another name are noted, since no order is checked by them") {
  Fixture f;
  std::string text = kTable;
  text.replace(text.find("date"), 4, "when");
  const std::size_t end = text.find(',', text.find(',') + 1);
  const std::string first = text.substr(text.find(',') + 1, end - text.find(',') - 1);
  f.options.series.columns = {first};
  const std::vector<std::string> notes = f.open(text).notes;
  const bool said = std::ranges::any_of(notes, [](const std::string& note) {
    return says(note, {"column 'when' holds dates", "a first column named 'date' alone"});
  });
  CHECK(said);
  const std::vector<std::string> dated = f.open(kTable).notes;
  CHECK(std::ranges::none_of(dated,
                             [](const std::string& note) { return says(note, {"holds dates"}); }));
}

TEST_CASE("a day's steps are the season, of published series and by the dates of others") {
  const auto season = [](const std::string& name) {
    for (const DatasetReader& reader : series_readers()) {
      DataOptions options;
      if (reader.name == name) return reader.describe(options).season;
    }
    return std::int64_t{-1};
  };
  CHECK(season("etth1") == 24);
  CHECK(season("ettm2") == 96);
  CHECK(season("weather") == 144);
  CHECK(season("electricity") == 24);
  CHECK(season("traffic") == 24);
  CHECK(season("exchange_rate") == 0);  // a step is a day

  Fixture f;
  CHECK(f.open(kTable).train->spec().season == 24);
  for (const DatasetReader& reader : series_readers()) {
    if (reader.name == "csv") CHECK(reader.describe(f.options).season == 24);
  }
  f.options.series.season = 7;
  CHECK(f.open(kTable).train->spec().season == 7);
  f.options.series.season = 0;
  CHECK(f.open("a\n" +
               [] {
                 std::string rows;
                 for (int i = 0; i < 100; ++i) rows += std::to_string(std::sin(i)) + "\n";
                 return rows;
               }())
            .train->spec()
            .season == 0);
}
