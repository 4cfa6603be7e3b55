// Pass: dropout is the identity outside of training.
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"

namespace tbn {

void drop_training_ops(Model& model) {
  std::vector<bool> removed;
  removed.reserve(model.graph.nodes.size());
  for (const Node& node : model.graph.nodes) {
    removed.push_back(std::holds_alternative<Dropout>(node.op));
  }
  remove_nodes(model.graph, removed);
}

}  // namespace tbn
