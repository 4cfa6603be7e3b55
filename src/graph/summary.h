// What a network costs in a file whose scalars are of another type than single precision.
#pragma once

#include "tbn/model.h"

namespace tbn {

// As summarize(graph) of tbn/model.h, with `scalars`, kF32 or kF16, as the element type of the
// scalars in the packed file: a layer's bits are q + 32 or q + 16 per scalar.
Summary summarize(const Graph& graph, DType scalars);

}  // namespace tbn
