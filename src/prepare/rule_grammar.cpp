// The grammar of rules as a table, and the sentences of what breaks it.
#include "prepare/rule_grammar.h"

#include <algorithm>
#include <span>
#include <unordered_set>

#include "base/counted.h"
#include "base/text.h"
#include "tbn/error.h"

namespace tbn {
namespace {

// The steps of a kind in their order, each at most once.
constexpr std::string_view kImageSteps[] = {"decode", "orient", "resize", "crop"};
constexpr std::string_view kPointSteps[] = {"first", "centre", "scale", "choose"};
constexpr std::string_view kSeriesSteps[] = {"standardise"};

struct Kind {
  std::string_view name;
  std::span<const std::string_view> steps;
  std::string_view output;  // what a network of such inputs gives
  std::string_view other_output;
};

constexpr Kind kKinds[] = {
    {"image", kImageSteps, "class", ""},
    {"points", kPointSteps, "class", "point_class"},
    {"series", kSeriesSteps, "forecast", ""},
};
constexpr std::string_view kOutputKinds[] = {"class", "point_class", "forecast"};

const Kind* kind_of(const InputRule& rule) {
  const auto found = std::ranges::find(kKinds, std::string_view(rule.kind), &Kind::name);
  return found == std::end(kKinds) ? nullptr : &*found;
}

std::string listed(std::span<const std::string_view> names) {
  std::string list;
  for (const std::string_view name : names) list += (list.empty() ? "" : ", ") + std::string(name);
  return list;
}

std::string step(std::string_view name) { return "the step '" + std::string(name) + "'"; }

bool has(const InputRule& rule, std::string_view name) {
  return std::ranges::find(rule.steps, name, name_of) != rule.steps.end();
}

std::string order_fault(const InputRule& rule, const Kind& kind) {
  const auto place = [&](std::string_view name) {
    return std::ranges::find(kind.steps, name) - kind.steps.begin();
  };
  for (std::size_t i = 0; i < rule.steps.size(); ++i) {
    const std::string_view name = name_of(rule.steps[i]);
    if (place(name) == std::ssize(kind.steps)) {
      return step(name) + " is none of the kind '" + rule.kind + "', which has " +
             listed(kind.steps);
    }
    for (std::size_t before = 0; before < i; ++before) {
      const std::string_view earlier = name_of(rule.steps[before]);
      if (earlier == name) return step(name) + " is there twice";
      if (place(earlier) < place(name)) continue;
      return step(name) + " comes after '" + std::string(earlier) + "'; the order is " +
             listed(kind.steps);
    }
  }
  return {};
}

std::string missing(std::string_view name, std::string_view needed_by) {
  return step(name) + " is missing, which " + std::string(needed_by) + " needs";
}

std::string image_fault(const InputRule& rule) {
  if (rule.steps.empty()) return {};
  if (!has(rule, "resize")) return missing("resize", step(name_of(rule.steps.front())));
  return has(rule, "crop") ? "" : missing("crop", "the step 'resize'");
}

std::string point_fault(const InputRule& rule) {
  if (!has(rule, "choose")) return missing("choose", "the kind 'points'");
  if (rule.columns.empty()) return {};
  if (rule.columns.size() < 3) {
    return counted(std::ssize(rule.columns), "column") + "; points have three coordinates at least";
  }
  return {};
}

std::string series_fault(const InputRule& rule) {
  if (rule.units_in_graph && !rule.steps.empty()) {
    return "the step 'standardise' beside units: \"graph\" would standardise the values twice";
  }
  if (rule.steps.empty() && !rule.units_in_graph) {
    return "neither the step 'standardise' nor units: \"graph\" says how values are standardised";
  }
  if (rule.steps.empty() || rule.columns.empty()) return {};
  const std::size_t means = std::get<StandardiseStep>(rule.steps.front()).mean.size();
  if (means == rule.columns.size()) return {};
  return counted(static_cast<std::int64_t>(means), "mean") + " for " +
         counted(std::ssize(rule.columns), "column");
}

// A member that says something of another kind.
std::string member_fault(const InputRule& rule) {
  const bool image = rule.kind == "image";
  const bool series = rule.kind == "series";
  std::string_view foreign;
  if (image && !rule.columns.empty()) foreign = "columns";
  if ((image || series) && !rule.up.empty()) foreign = "up";
  if (!series && rule.seconds > 0) foreign = "seconds";
  if (!series && rule.units_in_graph) foreign = "units";
  if (series && rule.check) foreign = "check";
  if (foreign.empty()) return {};
  return "'" + std::string(foreign) + "' says nothing of the kind '" + rule.kind + "'";
}

// The first name that is there twice.
const std::string* repeated(const std::vector<std::string>& names) {
  std::unordered_set<std::string_view> seen;
  for (const std::string& name : names) {
    if (!seen.insert(name).second) return &name;
  }
  return nullptr;
}

std::string category_fault(const OutputRule& rule) {
  if (rule.categories.empty()) return {};
  if (rule.kind != "point_class") return "'categories' are of the kind 'point_class'";
  std::vector<std::string> names;
  names.reserve(rule.categories.size());
  for (const LabelRange& range : rule.categories) names.push_back(range.name);
  const std::string* twice = repeated(names);
  return twice == nullptr ? "" : "the category " + in_quotes(*twice) + " is there twice";
}

}  // namespace

bool is_known(const InputRule& rule) {
  return kind_of(rule) != nullptr && std::ranges::none_of(rule.steps, [](const InputStep& each) {
           return std::holds_alternative<UnknownStep>(each);
         });
}

std::string fault_of(const InputRule& rule) {
  if (!is_known(rule)) return {};
  std::string fault = order_fault(rule, *kind_of(rule));
  if (fault.empty()) fault = member_fault(rule);
  if (!fault.empty()) return fault;
  if (rule.kind == "image") return image_fault(rule);
  if (rule.kind == "series") return series_fault(rule);
  const std::string* twice = repeated(rule.columns);
  if (twice != nullptr) return "the column " + in_quotes(*twice) + " is there twice";
  return point_fault(rule);
}

std::string fault_of(const OutputRule& rule) {
  if (std::ranges::find(kOutputKinds, rule.kind) == std::end(kOutputKinds)) return {};
  if (rule.kind == "forecast" && !rule.classes.empty()) {
    return "'classes' say nothing of the kind 'forecast'";
  }
  // Two classes may be called alike where their folders tell them apart, as ImageNet's cranes.
  if (const std::string* twice = repeated(rule.keys())) {
    return std::string(rule.folders.empty() ? "the class " : "the folder ") + in_quotes(*twice) +
           " is there twice";
  }
  return category_fault(rule);
}

std::string fault_of(const MeasuredRule& rule) {
  const bool limited = rule.train_limit > 0 || rule.test_limit > 0;
  if (limited && rule.limits.empty()) {
    return "'limits' is missing, which says which samples train_limit and test_limit keep";
  }
  if (!limited && !rule.limits.empty()) return "'limits' without train_limit and test_limit";
  if (rule.skip_most > 0 && rule.on_error.empty()) return "'skip_most' without 'on_error'";
  const auto none = std::ranges::find(rule.rows, 0);
  if (none == rule.rows.end()) return {};
  constexpr std::string_view kParts[] = {"training", "validation", "test"};
  return "'rows' says that there are no rows of " +
         std::string(kParts[std::min<std::ptrdiff_t>(none - rule.rows.begin(), 2)]);
}

std::string fault_between(const InputRule& input, const OutputRule& output) {
  if (!is_known(input)) return {};
  const Kind& kind = *kind_of(input);
  if (kind.output == output.kind || kind.other_output == output.kind) return {};
  if (std::ranges::find(kOutputKinds, output.kind) == std::end(kOutputKinds)) return {};
  return "outputs of the kind '" + output.kind + "' of inputs of the kind '" + input.kind + "'";
}

std::string fault_between(const InputRule& input, const MeasuredRule& measured) {
  if (!is_known(input) || input.kind == "series") return {};
  if (!measured.rows.empty())
    return "'rows' says nothing of inputs of the kind '" + input.kind + "'";
  if (measured.chosen_columns) {
    return "'columns' says nothing of inputs of the kind '" + input.kind + "'";
  }
  return {};
}

void check_rule_units(const Rule& rule, bool in_graph, const std::string& where) {
  if (!rule.input || rule.input->kind != "series" || rule.input->units_in_graph == in_graph) return;
  throw DataError(where + ": " + std::string(kInputRuleKey) + ": " +
                  (in_graph
                       ? "the network standardises its inputs itself, and the rule does not say so"
                       : "units: \"graph\", and the network does not standardise its inputs"));
}

}  // namespace tbn
