// Names are compared as the header has them; every sentence says which are meant.
#include "data/series/columns.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "base/counted.h"
#include "base/nearest.h"
#include "base/text.h"
#include "tbn/error.h"

namespace tbn {
namespace {

using Names = std::vector<std::string>;

// "'a', 'b', 'c' and 4 more"
std::string listed(const Names& names) {
  constexpr std::size_t kMost = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i) {
    text += (i == 0 ? "" : ", ") + in_quotes(names[i]);
  }
  if (names.size() > kMost) text += fmt::format(" and {} more", names.size() - kMost);
  return text;
}

// The first name that was there before it; the end where each is there once.
Names::const_iterator first_repeated(const Names& names) {
  std::set<std::string_view> seen;
  return std::ranges::find_if(names,
                              [&](const std::string& name) { return !seen.insert(name).second; });
}

bool repeats(const Names& names) { return first_repeated(names) != names.end(); }

// Those of `names` that `others` lacks.
Names missing_in(const Names& names, const Names& others) {
  const std::set<std::string> known(others.begin(), others.end());
  Names missing;
  for (const std::string& name : names) {
    if (!known.contains(name)) missing.push_back(name);
  }
  return missing;
}

std::vector<std::size_t> all_of(std::size_t count) {
  std::vector<std::size_t> columns(count);
  std::iota(columns.begin(), columns.end(), std::size_t{0});
  return columns;
}

// The places of `wanted` in `names`, which has each once.
std::vector<std::size_t> places_of(const Names& wanted, const Names& names) {
  std::vector<std::size_t> columns;
  for (const std::string& name : wanted) {
    columns.push_back(
        static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin()));
  }
  return columns;
}

std::vector<std::size_t> named_columns(const Names& names, const Names& wanted,
                                       const std::string& where) {
  for (const std::string& name : wanted) {
    const auto count = std::count(names.begin(), names.end(), name);
    if (count == 1) continue;
    throw ConfigError(
        count == 0 ? fmt::format("data.series.columns: {}no column {}{}; it has {}", where,
                                 in_quotes(name), did_you_mean(nearest(name, names)), listed(names))
                   : fmt::format("data.series.columns: {}{} columns are named {}; rename "
                                 "them in its header",
                                 where, count, in_quotes(name)));
  }
  if (repeats(wanted)) throw ConfigError("data.series.columns: a column is named twice");
  return places_of(wanted, names);
}

[[noreturn]] void fail_other_columns(const Names& names, const Names& rule,
                                     const std::string& where) {
  const Names missing = missing_in(rule, names);
  const Names more = missing_in(names, rule);
  constexpr const char* kWayOut =
      "name the columns to take, in the network's order, as data.series.columns='[...]'";
  if (missing.empty()) {
    throw DataError(fmt::format("{}{} where the network takes {}: {} too many ({}); {}", where,
                                counted(std::ssize(names), "column"), rule.size(),
                                names.size() - rule.size(),
                                more.empty() ? "names repeat" : listed(more), kWayOut));
  }
  throw DataError(fmt::format("{}has no column {}, of the {} that the network takes{}{}; {}", where,
                              listed(missing), rule.size(),
                              more.empty() ? "" : ", but " + listed(more),
                              did_you_mean(nearest(missing.front(), more)), kWayOut));
}

ColumnChoice columns_of_rule(const Names& names, const SeriesRule& rule, const std::string& where) {
  if (names == rule.columns) return {all_of(names.size()), {}};
  if (repeats(names) || repeats(rule.columns)) {
    if (names.size() != rule.columns.size()) fail_other_columns(names, rule.columns, where);
    return {all_of(names.size()),
            {"names of columns repeat, so that columns are taken by their place, not their name"}};
  }
  const bool others = names.size() > rule.columns.size();
  if (!missing_in(rule.columns, names).empty() || (others && !rule.chosen)) {
    fail_other_columns(names, rule.columns, where);
  }
  ColumnChoice choice{places_of(rule.columns, names), {}};
  if (!std::is_sorted(choice.columns.begin(), choice.columns.end())) {
    choice.notes.emplace_back(
        "the columns are in another order than the network's; each is taken by its name");
  }
  return choice;
}

// The user names columns, and the rule has names too.
ColumnChoice named_of_rule(const Names& names, const SeriesOptions& options,
                           const std::string& where) {
  const Names& wanted = options.columns;
  const Names& rule = options.rule->columns;
  const std::vector<std::size_t> columns = named_columns(names, wanted, where);
  if (wanted.size() != rule.size()) {
    throw ConfigError(fmt::format("data.series.columns: names {}, and the network takes {}",
                                  counted(std::ssize(wanted), "column"), rule.size()));
  }
  if (wanted == rule) return {columns, {}};
  if (!repeats(rule) && missing_in(rule, wanted).empty()) return {places_of(rule, names), {}};
  const auto [other, own] = std::mismatch(wanted.begin(), wanted.end(), rule.begin());
  return {columns,
          {fmt::format("data.series.columns are not the network's names: they are taken in its "
                       "order, {} for {} first",
                       in_quotes(*other), in_quotes(*own))}};
}

}  // namespace

ColumnChoice choose_columns(const Names& names, const SeriesOptions& options,
                            const std::string& where) {
  const bool by_rule = options.rule.has_value() && !options.rule->columns.empty();
  if (by_rule && !options.columns.empty()) return named_of_rule(names, options, where);
  if (by_rule) return columns_of_rule(names, *options.rule, where);
  if (!options.columns.empty()) return {named_columns(names, options.columns, where), {}};
  ColumnChoice choice{all_of(names.size()), {}};
  if (const auto twice = first_repeated(names); twice != names.end()) {
    choice.notes.push_back(fmt::format(
        "{} columns are named {}, so that columns are told apart by their place; is one "
        "of them there by mistake? Rename it, or take it out",
        std::count(names.begin(), names.end(), *twice), in_quotes(*twice)));
  }
  return choice;
}

std::int64_t chosen_columns(std::int64_t columns, const SeriesOptions& options) {
  if (!options.columns.empty()) return std::ssize(options.columns);
  if (options.rule && !options.rule->columns.empty()) return std::ssize(options.rule->columns);
  return columns;
}

void check_no_index(const CsvTable& table, const std::string& where) {
  constexpr std::int64_t kFewest = 10;  // fewer rows may grow evenly by chance
  if (!table.times.empty() || table.rows < kFewest) return;
  const auto columns = static_cast<std::size_t>(table.columns());
  const double step = table.values[columns] - table.values[0];
  if (step == 0) return;
  for (std::size_t i = columns; i < table.values.size(); i += columns) {
    const double grown = table.values[i] - table.values[i - columns];
    // Rows that were left out make a step twice as long, or more.
    const double steps = table.skipped > 0 ? std::max(1.0, std::round(grown / step)) : 1;
    if (std::abs(grown - steps * step) > 1e-6 * std::abs(step)) return;
  }
  throw DataError(
      fmt::format("{}the first column, {}, changes by {:g} from row to row, as a row's number or "
                  "time does, which "
                  "is no measurement; take it out, name it 'date', or name the columns to take as "
                  "data.series.columns='[...]'",
                  where, in_quotes(table.names.front()), step));
}

}  // namespace tbn
