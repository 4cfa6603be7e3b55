// Moves the statistics of a series between the rule and the graph.
#include "app/export/units.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include <fmt/format.h>

#include "base/shown.h"
#include "base/text.h"
#include "graph/passes/units.h"
#include "tbn/error.h"

namespace tbn::app {
namespace {

// Where the option says nothing: what is done by default.
bool wants_units(const CommandLine& line, bool otherwise) {
  if (!line.has("units")) return otherwise;
  const std::string units = line.text("units");
  if (units == "original") return true;
  if (units == "standardised") return false;
  throw ConfigError("--units: " + in_quotes(units) + " is not one of original, standardised");
}

const StandardiseStep* standardisation(const Rule& rule) {
  if (!rule.input || rule.input->kind != "series" || rule.input->steps.size() != 1) return nullptr;
  return std::get_if<StandardiseStep>(&rule.input->steps.front());
}

// Whether nothing speaks against it: files without a rule do not say what they are for.
bool may_forecast(const Graph& graph, const Rule& rule) {
  if (rule.input) return rule.input->kind == "series";
  return graph.input_shape().size() == 2 && graph.output_shape().size() == 2;
}

void put_into_graph(const CommandLine& line, Model& packed, Rule& rule, const std::string& where) {
  const StandardiseStep& step = *standardisation(rule);
  const Units units{.mean = step.mean, .deviation = step.deviation};
  add_units(packed, units, where);
  if (units.offset() > kNotedOffset && !line.quiet()) {
    fmt::print(stderr,
               "note: {}: a column's mean is {:.0f} of its deviations from 0, so that inputs in "
               "single precision are rounded by {:.2g} deviations; --units standardised keeps them "
               "out of the network\n",
               shown(where), units.offset(), units.offset() / (1 << 24));
  }
  rule.input->steps.clear();
  rule.input->units_in_graph = true;
}

void take_out_of_graph(Model& packed, Rule& rule, const Units& units) {
  remove_units(packed);
  if (!rule.input) rule.input = InputRule{.kind = "series"};
  rule.input->units_in_graph = false;
  rule.input->steps = {StandardiseStep{.mean = units.mean, .deviation = units.deviation}};
}

}  // namespace

void add_units_option(CommandLine& line) {
  line.value(
      "units", "name",
      "of a forecaster: original, it takes and gives the table's values, or standardised, "
      "those minus their mean, over their deviation, for readers that do not know the feature "
      "'units' (default: original; of a .tbn, as it is)");
}

bool set_units(const CommandLine& line, Model& packed, Rule& rule, bool by_default,
               const std::string& where) {
  const std::optional<Units> present = units_of(packed);
  if (line.has("units") && !may_forecast(packed.graph, rule)) {
    throw ConfigError("--units is for forecasts of series, and " + where +
                      " makes none; leave it out");
  }
  const bool wanted = wants_units(line, present.has_value() || by_default);
  if (wanted == present.has_value()) return false;
  if (!wanted) {
    take_out_of_graph(packed, rule, *present);
    return true;
  }
  if (standardisation(rule) != nullptr) {
    put_into_graph(line, packed, rule, where);
    return true;
  }
  if (!line.has("units")) return false;
  throw ConfigError(where +
                    ": --units original: it does not say the means and deviations of a series");
}

}  // namespace tbn::app
