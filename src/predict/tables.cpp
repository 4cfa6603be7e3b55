// Rows by name, and the dates that go on behind them.
#include "predict/tables.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "base/counted.h"
#include "base/nearest.h"
#include "base/text.h"
#include "data/series/apply_rule.h"
#include "data/series/csv_table.h"
#include "data/series/series.h"
#include "data/series/time_axis.h"
#include "predict/prediction.h"
#include "prepare/inputs.h"
#include "prepare/kind.h"
#include "tbn/error.h"

namespace tbn {
namespace {

constexpr const char* kRows = "rows of a table";

// Where the network's columns are among a table's names.
std::vector<std::size_t> columns_in(const std::vector<std::string>& names, const NetworkForm& form,
                                    const std::string& where) {
  const std::vector<std::string>& wanted = form.rule.input->columns;
  std::vector<std::size_t> places;
  if (wanted.empty()) {
    places.resize(names.size());
    std::iota(places.begin(), places.end(), std::size_t{0});
    if (std::ssize(names) == form.input[1]) return places;
    throw DataError(fmt::format(
        "{}{}, where the network takes {}, whose names its file does not say", where,
        counted(std::ssize(names), "column of numbers", "columns of numbers"), form.input[1]));
  }
  for (const std::string& name : wanted) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) {
      const std::string near = nearest(name, names);
      throw DataError(fmt::format("{}has no column {}, which the network takes{}", where,
                                  in_quotes(name),
                                  near.empty() ? "" : " (" + in_quotes(near) + " is there)"));
    }
    if (std::find(found + 1, names.end(), name) != names.end()) {
      throw DataError(fmt::format("{}has the column {} twice", where, in_quotes(name)));
    }
    places.push_back(static_cast<std::size_t>(found - names.begin()));
  }
  return places;
}

OnError on_error_of(const NetworkForm& form) {
  const bool skips = form.rule.measured && form.rule.measured->on_error == "skip";
  return skips ? OnError::kSkip : OnError::kStop;
}

// The dates of the steps ahead, where the table has dates of one step.
void set_times(const CsvTable& table, const NetworkForm& form, PredictionInput& input) {
  if (table.unread_dates > 0) {
    input.notes.push_back(fmt::format(
        "'{}': its dates are not understood ({}), so that the steps of the forecast are numbered",
        input.name, table.first_unread));
  }
  if (table.times.empty()) {
    if (table.unnamed_dates.empty()) return;
    input.notes.push_back(
        fmt::format("'{}': column {} holds dates; where it is the first and called 'date', the "
                    "forecast has them",
                    input.name, in_quotes(table.unnamed_dates)));
    return;
  }
  const std::size_t seen = std::min(table.times.size(), static_cast<std::size_t>(form.input[0]));
  const TimeSteps steps = judge_steps(std::span(table.times).last(seen));
  for (const std::string& note : steps.notes) {
    input.notes.push_back(
        fmt::format("'{}': of the rows that the network sees: {}", input.name, note));
  }
  const double found = steps.seconds;
  const double trained = form.rule.input->seconds;
  const double step = found > 0 ? found : trained;
  if (found > 0 && trained > 0 && std::abs(found - trained) > 1e-3 * trained) {
    input.notes.push_back(fmt::format(
        "'{}': its rows are {:g} seconds apart, and those that the network was trained on {:g}; "
        "its forecast is of the table's steps",
        input.name, found, trained));
  }
  const double last = table.times.back();
  if (std::isnan(last) || !(step > 0)) return;
  for (std::int64_t k = 1; k <= form.output[0]; ++k) {
    input.times.push_back(last + static_cast<double>(k) * step);
  }
}

// A column in another unit gives a forecast of nothing, and no error.
void note_units(const CsvTable& table, const NetworkForm& form, PredictionInput& input) {
  if (!form.units || table.columns() != std::ssize(form.units->mean)) return;
  const SeriesStatistics trained{.mean = form.units->mean, .deviation = form.units->deviation};
  const SeriesStatistics here = measure(table, table.rows);
  for (std::size_t c = 0; c < table.names.size(); ++c) {
    if (!are_other_units(trained, here, c)) continue;
    input.notes.push_back(fmt::format(
        "'{}': column {} has a mean of {:g} and a deviation of {:g}, where it had {:g} and {:g} in "
        "training; is it in other units?",
        input.name, in_quotes(table.names[c]), here.mean[c], here.deviation[c], trained.mean[c],
        trained.deviation[c]));
  }
}

// The rows as they are, without a word of their units.
PredictionInput input_of_rows(std::span<const double> rows, const std::string& name,
                              const NetworkForm& form);

// `table` has the network's columns in its order.
PredictionInput input_of_table(const CsvTable& table, const std::string& name,
                               const NetworkForm& form) {
  PredictionInput input = input_of_rows(table.values, name, form);
  set_times(table, form, input);
  note_units(table, form, input);
  if (table.skipped > 0) {
    input.notes.push_back(fmt::format("'{}': {} left out; the first: {}", name,
                                      counted(table.skipped, "row was", "rows were"),
                                      table.first_skipped));
  }
  return input;
}

// Reads a table for a tool that takes no settings, which errors of training advise.
template <class Read>
CsvTable read_without_settings(const Read& read) {
  try {
    return read();
  } catch (const DataError& error) {
    std::string sentence = error.what();
    for (const char* advice : {", or set data.on_error", ", or name the columns"}) {
      sentence = sentence.substr(0, sentence.find(advice));
    }
    throw DataError(sentence);
  }
}

void check_takes_rows(const NetworkForm& form) {
  input_of(form.rule, "series", kRows);
  if (form.input.size() != 2 || form.output.size() != 2) {
    throw ConfigError("the network takes " + to_string(form.input) + " and gives " +
                      to_string(form.output) + ", no steps of a series");
  }
}

PredictionInput input_of_rows(std::span<const double> rows, const std::string& name,
                              const NetworkForm& form) {
  const auto needed = static_cast<std::size_t>(element_count(form.input));
  if (rows.size() < needed) {
    throw DataError(fmt::format("'{}': has {}, and the network sees {}", name,
                                counted(std::ssize(rows) / form.input[1], "row"), form.input[0]));
  }
  PredictionInput input{.name = name};
  input.values.resize(needed);
  prepare_rows(form.rule, form.input, rows.last(needed), {}, input.values);
  return input;
}

}  // namespace

PredictionInput rows_input(std::span<const double> rows, const std::string& name,
                           const NetworkForm& form) {
  check_takes_rows(form);
  PredictionInput input = input_of_rows(rows, name, form);
  CsvTable table{.values = {rows.begin(), rows.end()}, .rows = std::ssize(rows) / form.input[1]};
  for (std::int64_t c = 0; c < form.input[1]; ++c) table.names.push_back(column_name(form, c));
  note_units(table, form, input);
  return input;
}

PredictionInput table_input(const std::filesystem::path& path, const std::string& name,
                            const NetworkForm& form) {
  check_takes_rows(form);
  const auto taken = [&](const std::vector<std::string>& names) {
    return columns_in(names, form, "'" + name + "': ");
  };
  return input_of_table(
      read_without_settings([&] { return read_csv(path, on_error_of(form), {}, taken); }), name,
      form);
}

PredictionInput table_of_text(std::string text, const std::string& name, const NetworkForm& form) {
  check_takes_rows(form);
  const auto taken = [&](const std::vector<std::string>& names) {
    return columns_in(names, form, "'" + name + "': ");
  };
  return input_of_table(read_without_settings([&] {
                          return read_csv_text(std::move(text), name, on_error_of(form), {}, taken);
                        }),
                        name, form);
}

}  // namespace tbn
