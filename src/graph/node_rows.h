// The layers of a graph as encodings and runtimes see them.
#pragma once

#include <functional>

#include "encodings/layer_rows.h"
#include "tbn/graph.h"

namespace tbn {

// The weight of a conv2d or linear node.
LayerDims dims_of(const Graph& graph, const Node& node);

// Throws DataError, beginning with `where`, for packed tensors of layers, right by type and shape,
// that hold what no writer writes.
void check_weight_values(const Graph& graph, const TensorMap& tensors, const std::string& where);

// What a runtime multiplies of a conv2d or linear of a checked packed network, a folded norm's
// scale in the gains. Borrows the tensors.
LayerRows layer_rows(const Graph& graph, const TensorMap& tensors, const Node& node);

// Where backends take a node's rows from: layer_rows(), but in tests of rows that no encoding
// makes.
using RowsOf = std::function<LayerRows(const Graph&, const TensorMap&, const Node&)>;

}  // namespace tbn
