// Batch norms that have to part copies: after a layer whose outputs are scaled copies of each
// other, only a norm's own factors make them different channels.
//
// Two parts of a start ask for them, and look differently far: initialisation starts the norm right
// after the layer apart (`init.norms`), and what it draws for a seed is promised; a warm start
// keeps the start of one behind max pools, too. Neither looks through dropout.
#pragma once

#include "tbn/graph.h"

namespace tbn {

// Whether the values of `id` are those of a layer whose encoding makes copies.
bool makes_copies(const Graph& graph, NodeId id);

// The node whose values a node reads, behind the max pools between.
NodeId before_pools(const Graph& graph, NodeId id);

}  // namespace tbn
