// Gives every weight layer of a graph its encoding, by rules on names and by size.
#include "tbn/policy.h"

#include "encodings/encoding.h"
#include "graph/node_rows.h"
#include "tbn/error.h"

namespace tbn {
namespace {

std::string layer_names(const Graph& graph) {
  std::string names;
  int listed = 0;
  for (const Node& node : graph.nodes) {
    if (weights_of(node.op) == nullptr) continue;
    if (++listed > 40) return names + ", ...";
    names += (names.empty() ? "" : ", ") + node.name;
  }
  return names;
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
    for (std::size_t i = 0; i < policy.rules[r].match.size(); ++i) {
      if (used[r][i]) continue;
      throw ConfigError("weights.rules[" + std::to_string(r) + "]: pattern '" +
                        policy.rules[r].match[i] + "' matches no layer of " + graph.name +
                        "; its layers are " + layer_names(graph));
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
