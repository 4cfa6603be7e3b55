// Looks at every addition for a layer that can take it in.
#include "runtime/plan/fuse_additions.h"

#include <algorithm>
#include <vector>

namespace tbn {
namespace {

// The activation of a layer whose kernel can add a residual, else null: linear layers and
// convolutions of one group.
ActivationKind* activation_of(Op& op) {
  if (auto* linear = std::get_if<Linear>(&op)) return &linear->activation;
  auto* conv = std::get_if<Conv2d>(&op);
  return conv != nullptr && conv->groups == 1 ? &conv->activation : nullptr;
}

}  // namespace

Graph fuse_additions(Graph graph) {
  const std::vector<int> uses = use_counts(graph);
  for (Node& node : graph.nodes) {
    const auto* add = std::get_if<Add>(&node.op);
    if (add == nullptr) continue;
    const auto [residual, last] = std::minmax(node.inputs[0], node.inputs[1]);
    Node& layer = graph.node(last);
    ActivationKind* activation = activation_of(layer.op);
    const bool read_once = uses[static_cast<std::size_t>(last)] == 1;
    if (activation == nullptr || *activation != ActivationKind::kNone || !read_once) continue;
    *activation = add->activation;
    layer.inputs.push_back(residual);
    node.inputs = {last};
    node.op = Activation{ActivationKind::kNone};
  }
  return graph;
}

}  // namespace tbn
