// Walks back to the layer, whose encoding's room knows.
#include "train/state/copies.h"

#include "graph/node_rows.h"
#include "train/encodings/trained_weight.h"

namespace tbn {

bool makes_copies(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const WeightEncoding* encoding = weights_of(node.op);
  return encoding != nullptr &&
         trained_room(*encoding).makes_copies(*encoding, dims_of(graph, node));
}

bool keeps_copies(const Op& op) {
  return std::visit(
      Overloaded{[](const MaxPool2d&) { return true; }, [](const AvgPool2d&) { return true; },
                 [](const GlobalAvgPool&) { return true; },
                 [](const SequencePool&) { return true; }, [](const Pad2d&) { return true; },
                 [](const Dropout&) { return true; }, [](const Activation&) { return true; },
                 [](const Expand&) { return true; }, [](const MovingAverage&) { return true; },
                 [](const auto&) { return false; }},
      op);
}

NodeId source_of(const Graph& graph, NodeId id) {
  NodeId source = graph.node(id).inputs.front();
  while (keeps_copies(graph.node(source).op)) source = graph.node(source).inputs.front();
  return source;
}

}  // namespace tbn
