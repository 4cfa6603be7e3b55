// Compares the statistics of the table's own training rows with those of the rule.
#include "data/series/apply_rule.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/counted.h"
#include "base/text.h"
#include "data/series/series.h"
#include "tbn/error.h"

namespace tbn {
namespace {

constexpr double kFar = 3;                                 // deviations, or times a deviation
constexpr std::int64_t kMostRows = std::int64_t{1} << 40;  // no sum of three overflows

// Empty where the values may be of the same units.
std::string units_sentence(const std::vector<std::string>& names, const SeriesStatistics& rule,
                           const SeriesStatistics& found) {
  std::size_t count = 0;
  std::size_t first = 0;
  for (std::size_t c = 0; c < names.size(); ++c) {
    if (are_other_units(rule, found, c) && count++ == 0) first = c;
  }
  if (count == 0) return {};
  return fmt::format(
      "{} of {} {} other values than the network was trained on: {} has mean {:g} and "
      "deviation {:g}, and had {:g} and {:g}; those of then are used, so if the units differ, the "
      "error is not of this network",
      count, counted(std::ssize(names), "column"), count == 1 ? "has" : "have",
      in_quotes(names[first]), found.mean[first], found.deviation[first], rule.mean[first],
      rule.deviation[first]);
}

}  // namespace

bool are_other_units(const SeriesStatistics& a, const SeriesStatistics& b, std::size_t column) {
  const double scale = b.deviation[column] / a.deviation[column];
  return std::abs(b.mean[column] - a.mean[column]) > kFar * a.deviation[column] || scale > kFar ||
         scale < 1 / kFar;
}

void check_rule(const SeriesRule& rule, std::int64_t columns, const std::string& where) {
  const auto fail = [&](const std::string& what) {
    throw DataError(fmt::format("{}cannot be read as the network asks: {}", where, what));
  };
  const SeriesStatistics& statistics = rule.statistics;
  const bool measured = !statistics.mean.empty() || !statistics.deviation.empty();
  if (measured &&
      (std::ssize(statistics.mean) != columns || std::ssize(statistics.deviation) != columns)) {
    fail(fmt::format("it has {} means and {} deviations for {} columns", statistics.mean.size(),
                     statistics.deviation.size(), columns));
  }
  for (std::size_t c = 0; c < statistics.mean.size(); ++c) {
    const double deviation = statistics.deviation[c];
    if (std::isfinite(statistics.mean[c]) && std::isfinite(deviation) && deviation > 0) continue;
    fail(fmt::format("column {} has mean {:g} and deviation {:g}", c + 1, statistics.mean[c],
                     deviation));
  }
  for (const std::int64_t rows : {rule.rows.train, rule.rows.validation, rule.rows.test}) {
    const bool none = rule.rows == SeriesRows{};
    if (none || (rows > 0 && rows <= kMostRows)) continue;
    fail(fmt::format("it splits at {}, {} and {} rows", rule.rows.train, rule.rows.validation,
                     rule.rows.test));
  }
}

SeriesRule completed(SeriesRule rule, const SeriesRule& found) {
  if (rule.columns.empty()) rule.columns = found.columns;
  if (rule.seconds == 0) rule.seconds = found.seconds;
  if (rule.rows == SeriesRows{}) rule.rows = found.rows;
  return rule;
}

std::vector<std::string> differences(const CsvTable& table, const SeriesRule& rule,
                                     const SeriesRule& found) {
  std::vector<std::string> notes;
  if (rule.rows.sum() > 0 && table.rows > rule.rows.sum()) {
    notes.push_back(fmt::format(
        "the table has {} where the network was measured on {}; the splits are those of then, "
        "and rows beyond are not used",
        counted(table.rows, "row"), grouped(static_cast<std::uint64_t>(rule.rows.sum()))));
  }
  if (rule.seconds > 0 && found.seconds > 0 &&
      std::abs(rule.seconds - found.seconds) > 1e-3 * rule.seconds) {
    notes.push_back(fmt::format("rows are {:g} s apart; the network was trained on steps of {:g} s",
                                found.seconds, rule.seconds));
  }
  if (!rule.statistics.mean.empty()) {
    const std::string units =
        units_sentence(table.names, rule.statistics, measure(table, found.rows.train));
    if (!units.empty()) notes.push_back(units);
  }
  return notes;
}

}  // namespace tbn
