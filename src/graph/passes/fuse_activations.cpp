// Pass: activations become the epilogue of the op before.
#include "graph/op_traits.h"
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"

namespace tbn {

void fuse_activations(Model& model) {
  Graph& graph = model.graph;
  const std::vector<int> uses = use_counts(graph);
  std::vector<bool> removed(graph.nodes.size(), false);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto* activation = std::get_if<Activation>(&graph.nodes[i].op);
    if (!activation) continue;
    const NodeId before = graph.nodes[i].inputs.front();
    ActivationKind* epilogue = epilogue_of(graph.node(before).op);
    if (!epilogue || *epilogue != ActivationKind::kNone) continue;
    if (uses[static_cast<std::size_t>(before)] != 1) continue;
    *epilogue = activation->kind;
    removed[i] = true;
  }
  remove_nodes(graph, removed);
}

}  // namespace tbn
