// Finds the batch norms that make copies differ: after a layer whose outputs are scaled copies of
// each other, only the norm's own factors make them different channels.
//
// Initialisation starts the norm right after such a layer apart (`init.norms`); what it draws for a
// seed must stay the same. A warm start also keeps the start of a norm behind max pools. Neither
// looks through dropout.
#pragma once

#include "tbn/graph.h"

namespace tbn {

// Whether the values of `id` are those of a layer whose encoding makes copies.
bool makes_copies(const Graph& graph, NodeId id);

// The node whose values a node reads, behind the max pools between.
NodeId before_pools(const Graph& graph, NodeId id);

}  // namespace tbn
