// Finds the batch norms that make copies differ: after a layer whose outputs are scaled copies of
// each other, only the norm's own factors make them different channels, whatever pools and
// activations lie between.
//
// Initialisation starts such norms apart (`init.norms`), and a warm start leaves them so.
#pragma once

#include "tbn/graph.h"

namespace tbn {

// Whether channels that are equal in the op's input are equal in its output: it has one input, and
// treats each channel alone and all alike. Dropout is such an op, since it parts them by chance
// alone.
bool keeps_copies(const Op& op);

// The node whose values node `id` reads, behind the nodes between that keep copies. Nodes read one
// value at least.
NodeId source_of(const Graph& graph, NodeId id);

// Whether some of the values of `id` start as scaled copies of others: it is a layer whose encoding
// makes such.
bool makes_copies(const Graph& graph, NodeId id);

}  // namespace tbn
