// Additions that a layer takes into its epilogue, decided when a network is made ready.
#pragma once

#include "tbn/graph.h"

namespace tbn {

// The graph with the same nodes, of which
//   y = layer(x), z = act(y + r)  has become  z = y = act(layer(x) + r)
// wherever nothing but the addition reads y, the layer has no activation of its own and r is there
// before it: the layer reads [x, r], and the addition is an activation of kind none, the identity.
Graph fuse_additions(Graph graph);

// Whether the layer at a node of such a graph adds its second input.
inline bool adds_input(const Node& node) { return node.inputs.size() == 2; }

}  // namespace tbn
