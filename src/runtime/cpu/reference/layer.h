// The weights of a conv2d or linear layer as the reference backend multiplies them, and what it
// does to the sums afterwards.
#pragma once

#include <cstdint>

#include "graph/node_rows.h"
#include "runtime/cpu/reference/activation.h"
#include "runtime/plan/layer_outputs.h"

namespace tbn::reference {

// Where a tile is reused in arithmetic, the weights are its R unique rows of +1 and -1 (paper
// section 3), each with p copies; otherwise they are all n rows, each with one.
struct Layer : LayerOutputs {
  DenseRows weights;
};

// `node` is a conv2d or a linear of a checked packed network.
Layer make_layer(const Graph& graph, const TensorMap& tensors, const Node& node,
                 const RowsOf& rows_of = layer_rows);

// output[i] = act(gain[c] * sums[i] + bias[c]), `count` values of one output c.
inline void finish_output(const LayerOutputs& layer, std::int64_t c, const float* sums,
                          float* output, std::int64_t count) {
  const float gain = layer.gain[static_cast<std::size_t>(c)];
  const float bias = layer.bias[static_cast<std::size_t>(c)];
  for (std::int64_t i = 0; i < count; ++i) output[i] = gain * sums[i] + bias;
  apply_activation(layer.activation, output, count);
}

// output[c] = act(gain[c] * sums[row of c] + bias[c]) for all n outputs of one vector.
void finish_vector(const LayerOutputs& layer, const float* sums, float* output);

}  // namespace tbn::reference
