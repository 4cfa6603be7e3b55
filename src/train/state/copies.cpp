// Asks the room of a layer's encoding.
#include "train/state/copies.h"

#include "train/encodings/trained_weight.h"

namespace tbn {

bool makes_copies(const Graph& graph, NodeId id) {
  const WeightEncoding* encoding = weights_of(graph.node(id).op);
  return encoding != nullptr && trained_room(*encoding).makes_copies(*encoding);
}

NodeId before_pools(const Graph& graph, NodeId id) {
  NodeId producer = graph.node(id).inputs.front();
  while (std::holds_alternative<MaxPool2d>(graph.node(producer).op)) {
    producer = graph.node(producer).inputs.front();
  }
  return producer;
}

}  // namespace tbn
