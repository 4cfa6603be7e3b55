// A layer's weights from a packed network as the device holds them.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/cuda/layer/layer.h"
#include "tbn/model.h"

namespace tbn::cuda {

// On the host; what a form does not have is empty.
struct LayerWeights {
  std::vector<std::uint32_t> bits;  // kTile, kFlat
  std::vector<float> floats;        // kFloat: weights; kFlat: scalars
  std::vector<float> gain;          // [outputs]
  std::vector<float> bias;          // [outputs]
};

// The shape of a conv2d or linear node for one example, and its weights. Throws DataError where
// counts do not fit the device's arithmetic.
LayerShape layer_shape(const Graph& graph, const TensorMap& tensors, const Node& node);
LayerWeights layer_weights(const Graph& graph, const TensorMap& tensors, const Node& node,
                           const LayerShape& shape);

}  // namespace tbn::cuda
