// What a reader of a packed network must know (tbn/file.h lists the features).
#pragma once

#include <string>
#include <vector>

#include "tbn/model.h"

namespace tbn {

// The features of the contents, sorted: `units`, `f16`, and those of its weights. `compact` and
// `generated` are of the file that holds them, and are left out.
std::vector<std::string> features_of(const Graph& graph, const TensorMap& tensors);

}  // namespace tbn
