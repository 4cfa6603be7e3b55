// The weights of a conv2d or linear layer as the reference backend multiplies them, and what it
// does to the sums afterwards.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/cpu/reference/activation.h"
#include "tbn/model.h"

namespace tbn::reference {

// With u = W x, copy i of row r is output c = r * row_step + i * copy_step, and that is
// act(gain[c] * u[r] + bias[c]). Where the tile is reused in arithmetic, W is its R unique rows of
// +1 and -1 (paper section 3), each with p copies; otherwise it has all n rows, each with one.
struct Layer {
  std::int64_t outputs = 0;  // n
  std::int64_t inputs = 0;   // m
  std::int64_t rows = 0;     // n, or R = n / p
  std::int64_t row_step = 1;
  std::int64_t copy_step = 0;
  std::vector<float> weights;  // [rows, m], or none
  std::vector<float> gain;     // [n]: scale and alpha
  std::vector<float> bias;     // [n]
  ActivationKind activation = ActivationKind::kNone;

  std::int64_t copies() const { return outputs / rows; }
  std::span<const float> row(std::int64_t r) const {
    return std::span(weights).subspan(static_cast<std::size_t>(r * inputs),
                                      static_cast<std::size_t>(inputs));
  }
};

// `node` is a conv2d or a linear of a checked packed network.
Layer make_layer(const Graph& graph, const TensorMap& tensors, const Node& node);
// The two halves of it: everything but the weights, which cost the most, and these.
Layer make_outputs(const Graph& graph, const TensorMap& tensors, const Node& node);
std::vector<float> make_weights(const Graph& graph, const TensorMap& tensors, const Node& node);

// output[i] = act(gain[c] * sums[i] + bias[c]), `count` values of one output c.
inline void finish_output(const Layer& layer, std::int64_t c, const float* sums, float* output,
                          std::int64_t count) {
  const float gain = layer.gain[static_cast<std::size_t>(c)];
  const float bias = layer.bias[static_cast<std::size_t>(c)];
  for (std::int64_t i = 0; i < count; ++i) output[i] = gain * sums[i] + bias;
  apply_activation(layer.activation, output, count);
}

// output[c] = act(gain[c] * sums[row of c] + bias[c]) for all n outputs of one vector.
void finish_vector(const Layer& layer, const float* sums, float* output);

}  // namespace tbn::reference
