// Goes over the names in the order of the rules: the first that matches wins.
#include "train/run/trainer_idle.h"

#include <algorithm>

#include <fmt/format.h>

#include "tbn/policy.h"
#include "train/optim/optimizer_groups.h"

namespace tbn {
namespace {

bool matches_any(const std::vector<std::string>& patterns, const std::string& name) {
  return std::ranges::any_of(patterns, [&](const auto& glob) { return glob_match(glob, name); });
}

void add_rules(const Config& config, const Graph& graph, std::vector<std::string>& lines) {
  const std::vector<WeightRuleConfig>& rules = config.weights.rules;
  std::vector<bool> wins(rules.size(), false);
  for (const Node& node : graph.nodes) {
    if (weights_of(node.op) == nullptr) continue;
    const auto first = std::ranges::find_if(
        rules, [&](const WeightRuleConfig& rule) { return matches_any(rule.match, node.name); });
    if (first != rules.end()) wins[static_cast<std::size_t>(first - rules.begin())] = true;
  }
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (wins[i]) continue;
    lines.push_back(fmt::format(
        "weights.rules[{}] does nothing: earlier rules match every layer that it matches", i));
  }
}

void add_groups(const Config& config, const Graph& graph, std::vector<std::string>& lines) {
  const std::vector<ParameterInfo> parameters = trained_parameters(graph);
  const std::vector<ResolvedGroup> groups = resolve_groups(config.optim, parameters);
  for (std::size_t i = 0; i < config.optim.groups.size(); ++i) {
    // A role that the network does not have is no mistake: the recipe serves others too.
    const bool has_some = std::ranges::any_of(parameters, [&](const ParameterInfo& parameter) {
      return std::ranges::any_of(config.optim.groups[i].match, [&](const std::string& pattern) {
        return matches(pattern, parameter);
      });
    });
    if (!has_some || !groups[i].members.empty()) continue;
    lines.push_back(fmt::format(
        "optim.groups[{}] does nothing: earlier groups match every parameter that it matches", i));
  }
}

}  // namespace

std::vector<std::string> idle_rules(const Config& config, const Graph& graph) {
  std::vector<std::string> lines;
  add_rules(config, graph, lines);
  add_groups(config, graph, lines);
  return lines;
}

}  // namespace tbn
