// Rows of a table: columns by name, standardised where the network does not do it itself.
#include <algorithm>

#include "base/counted.h"
#include "base/text.h"
#include "prepare/inputs.h"
#include "prepare/kind.h"
#include "tbn/error.h"

namespace tbn {
namespace {

const StandardiseStep* standardisation(const InputRule& rule) {
  const StandardiseStep* found = nullptr;
  for (const InputStep& step : rule.steps) {
    found = std::get_if<StandardiseStep>(&step);
    if (found == nullptr) refuse_step(step, "rows of a table");
  }
  return found;
}

// For each of the network's columns, which of the given ones it is.
std::vector<std::size_t> places_of(const InputRule& rule, std::span<const std::string> given,
                                   std::size_t columns) {
  std::vector<std::size_t> places(columns);
  if (!given.empty() && rule.columns.empty()) {
    throw ConfigError(
        "the network's file does not say what its columns are; give them in its order");
  }
  for (std::size_t c = 0; c < columns; ++c) {
    places[c] = c;
    if (given.empty()) continue;
    const auto found = std::find(given.begin(), given.end(), rule.columns[c]);
    if (found == given.end()) {
      throw ConfigError("column " + in_quotes(rule.columns[c]) + " of the network is not there");
    }
    if (std::find(found + 1, given.end(), *found) != given.end()) {
      throw ConfigError("column " + in_quotes(*found) + " is there twice");
    }
    places[c] = static_cast<std::size_t>(found - given.begin());
  }
  return places;
}

}  // namespace

void prepare_rows(const Rule& rule, const Shape& shape, std::span<const double> rows,
                  std::span<const std::string> columns, std::span<float> input) {
  const InputRule& made = input_of(rule, "series", "rows of a table");
  const StandardiseStep* standardise = standardisation(made);
  check_input_size(input.size(), shape);
  if (shape.size() != 2) throw ConfigError("the network takes " + to_string(shape) + ", no rows");
  const auto steps = static_cast<std::size_t>(shape[0]);
  const auto width = static_cast<std::size_t>(shape[1]);
  const std::size_t given = columns.empty() ? width : columns.size();
  if (rows.size() != steps * given) {
    throw ConfigError(counted(std::ssize(rows), "value") + ", where " +
                      counted(static_cast<std::int64_t>(steps), "row") + " of " +
                      counted(static_cast<std::int64_t>(given), "column") +
                      (steps == 1 ? " is " : " are ") + std::to_string(steps * given));
  }
  const std::vector<std::size_t> places = places_of(made, columns, width);
  for (std::size_t i = 0; i < input.size(); ++i) {
    const std::size_t c = i % width;
    double value = rows[i / width * given + places[c]];
    if (standardise != nullptr) value = (value - standardise->mean[c]) / standardise->deviation[c];
    input[i] = static_cast<float>(value);
  }
}

}  // namespace tbn
