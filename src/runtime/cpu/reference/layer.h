// The weights of a conv2d or linear layer as the reference backend multiplies them, and what it
// does to the sums afterwards.
#pragma once

#include <cstdint>

#include "graph/node_rows.h"
#include "runtime/cpu/reference/activation.h"
#include "runtime/plan/layer_outputs.h"

namespace tbn::reference {

// One row of weights per sum: where a tile is reused in arithmetic, its R unique rows of +1 and -1
// (paper section 3), each with p copies; otherwise all n rows, each with one.
struct Layer : LayerOutputs {
  DenseRows weights;
};

// `node` is a conv2d or a linear of a checked packed network.
Layer make_layer(const Graph& graph, const TensorMap& tensors, const Node& node,
                 const RowsOf& rows_of = layer_rows);

// Term t of `count` values of one output c. The first sets output[i] = gain[c] * sums[i] + bias[c],
// further ones add gain[c] * sums[i], and the activation is the last one's.
inline void finish_output(const LayerOutputs& layer, std::size_t t, std::int64_t c,
                          const float* sums, float* output, std::int64_t count) {
  const float gain = layer.terms[t].gain[static_cast<std::size_t>(c)];
  if (t == 0) {
    const float bias = layer.bias[static_cast<std::size_t>(c)];
    for (std::int64_t i = 0; i < count; ++i) output[i] = gain * sums[i] + bias;
  } else {
    for (std::int64_t i = 0; i < count; ++i) output[i] += gain * sums[i];
  }
  if (t + 1 == layer.terms.size()) apply_activation(layer.activation, output, count);
}

// All n outputs of one vector, of its sums.
void finish_vector(const LayerOutputs& layer, const float* sums, float* output);

}  // namespace tbn::reference
