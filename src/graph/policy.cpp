// Gives every weight layer of a graph its encoding, by rules on names and by size.
#include "tbn/policy.h"

#include "base/nearest.h"
#include "base/text.h"
#include "encodings/encoding.h"
#include "graph/node_rows.h"
#include "tbn/error.h"

namespace tbn {
namespace {

std::vector<std::string> layer_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) {
    if (weights_of(node.op) != nullptr) names.push_back(node.name);
  }
  return names;
}

// "conv1, conv2, ..."
std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 40;
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i == kMost) return text + ", ...";
    text += (i == 0 ? "" : ", ") + names[i];
  }
  return text;
}

// The index of the first rule that matches, and marks every pattern that does.
const WeightRule* find_rule(const WeightPolicy& policy, const std::string& name,
                            std::vector<std::vector<bool>>& used) {
  const WeightRule* found = nullptr;
  for (std::size_t r = 0; r < policy.rules.size(); ++r) {
    const WeightRule& rule = policy.rules[r];
    for (std::size_t i = 0; i < rule.match.size(); ++i) {
      if (!glob_match(rule.match[i], name)) continue;
      used[r][i] = true;
      if (found == nullptr) found = &rule;
    }
  }
  return found;
}

void check_all_used(const WeightPolicy& policy, const Graph& graph,
                    const std::vector<std::vector<bool>>& used) {
  for (std::size_t r = 0; r < policy.rules.size(); ++r) {
    const WeightRule& rule = policy.rules[r];
    for (std::size_t i = 0; i < rule.match.size(); ++i) {
      if (used[r][i]) continue;
      const std::vector<std::string> layers = layer_names(graph);
      throw ConfigError("weights.rules[" + std::to_string(r) +
                        "].match: " + in_quotes(rule.match[i]) + " matches no layer of " +
                        graph.name + did_you_mean(nearest_match(rule.match[i], layers)) +
                        "; its layers are " + listed(layers));
    }
  }
}

}  // namespace

bool glob_match(std::string_view glob, std::string_view name) {
  std::size_t g = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;  // the last '*' seen, and where its run began
  std::size_t run = 0;
  while (n < name.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      run = n;
    } else if (g < glob.size() && (glob[g] == '?' || glob[g] == name[n])) {
      ++g;
      ++n;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      n = ++run;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

void apply_policy(Graph& graph, const WeightPolicy& policy) {
  std::vector<std::vector<bool>> used;
  used.reserve(policy.rules.size());
  for (const WeightRule& rule : policy.rules) used.emplace_back(rule.match.size(), false);
  for (Node& node : graph.nodes) {
    WeightEncoding* encoding = weights_of(node.op);
    if (encoding == nullptr) continue;
    const LayerDims dims = dims_of(graph, node);
    const WeightRule* rule = find_rule(policy, node.name, used);
    if (rule != nullptr) {
      *encoding = rule->encoding;
    } else {
      const bool small = dims.outputs * dims.inputs < policy.min_size;
      *encoding = small ? policy.small : policy.standard;
    }
    const Encoding& room = encoding_of(*encoding);
    if (rule != nullptr ? rule->order_by_steps : policy.order_by_steps) {
      room.fit_steps(*encoding, dims, policy.steps);
    }
    room.check(*encoding, dims);
  }
  check_all_used(policy, graph, used);
}

}  // namespace tbn
