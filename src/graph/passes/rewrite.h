// What the passes share: taking nodes out of a graph, and a model's tensors as doubles.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tbn/model.h"

namespace tbn {

// Removes the marked nodes, each with one input: nodes that read one read its input instead.
void remove_nodes(Graph& graph, const std::vector<bool>& removed);

// The tensor's values; throws InternalError where the model lacks it.
std::vector<double> doubles_of(const Model& model, const std::string& name);

// Stores float32 values.
void put_floats(Model& model, const std::string& name, const Shape& shape,
                std::span<const double> values);

}  // namespace tbn
