// What the passes share.
#include "graph/passes/rewrite.h"

#include "encodings/node_tensors.h"
#include "tbn/error.h"

namespace tbn {

void remove_nodes(Graph& graph, const std::vector<bool>& removed) {
  std::vector<NodeId> renumbered(graph.nodes.size());
  std::vector<Node> kept;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = graph.nodes[i];
    // Inputs come before their readers, so their new ids are known.
    for (NodeId& input : node.inputs) input = renumbered[static_cast<std::size_t>(input)];
    if (removed[i]) {
      TBN_CHECK(node.inputs.size() == 1, describe(node) + " has no single input to stand for it");
      renumbered[i] = node.inputs.front();
    } else {
      renumbered[i] = static_cast<NodeId>(kept.size());
      kept.push_back(std::move(node));
    }
  }
  graph.output = renumbered[static_cast<std::size_t>(graph.output)];
  graph.nodes = std::move(kept);
}

std::vector<double> doubles_of(const Model& model, const std::string& name) {
  return doubles_of(model.tensors, name);
}

void put_floats(Model& model, const std::string& name, const Shape& shape,
                std::span<const double> values) {
  model.tensors[name] = float_tensor(shape, values);
}

}  // namespace tbn
