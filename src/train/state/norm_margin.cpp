// The running variance of a norm is that of its input: alpha^2 v.
#include "train/state/norm_margin.h"

#include <fmt/format.h>

#include "train/executor/graph_module.h"
#include "train/state/copies.h"

namespace tbn {

std::optional<NormMargin> norm_margin(const GraphModule& module) {
  const Graph& graph = module.graph();
  std::optional<NormMargin> least;
  for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes.size()); ++id) {
    const auto* norm = std::get_if<BatchNorm>(&graph.node(id).op);
    if (norm == nullptr) continue;
    const WeightEncoding* weights = weights_of(graph.node(source_of(graph, id)).op);
    if (weights == nullptr || !std::holds_alternative<TiledWeights>(*weights)) continue;
    const torch::Tensor variance = module.tensor_of(id, TensorRole::kRunningVar);
    const double ratio = variance.min().item<double>() / norm->eps;
    if (!least || ratio < least->ratio) least = {graph.node(id).name, ratio};
  }
  return least;
}

std::string margin_text(const std::optional<NormMargin>& margin) {
  if (!margin || margin->ratio >= kSmallNormMargin) return "";
  return fmt::format(
      "the norm '{}' sees a variance of {:.3g} times its eps, so that it no longer takes out the "
      "scale of the layer's scalars; if weight decay acts on them, give the group alphas in "
      "optim.groups a weight_decay of 0",
      margin->norm, margin->ratio);
}

}  // namespace tbn
