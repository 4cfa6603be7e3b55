// What a conv2d or linear layer makes of the sums of its rows, for every backend: which outputs a
// sum has, their gains and biases, and the activation.
#pragma once

#include <cstdint>
#include <vector>

#include "encodings/layer_rows.h"
#include "tbn/graph.h"

namespace tbn {

// With u = W x, copy i of sum r is output c = r * row_step + i * copy_step, and that is
// act(gain[c] * u[r] + bias[c]).
struct LayerOutputs {
  std::int64_t outputs = 0;  // n
  std::int64_t inputs = 0;   // m
  std::int64_t rows = 0;     // sums of a pixel
  std::int64_t row_step = 1;
  std::int64_t copy_step = 0;
  std::vector<float> gain;  // [n]: scalars and a folded norm's scale
  std::vector<float> bias;  // [n]
  ActivationKind activation = ActivationKind::kNone;

  std::int64_t copies() const { return outputs / rows; }
};

// Of a node and its rows (graph/node_rows.h).
LayerOutputs layer_outputs(const LayerRows& rows, const TensorMap& tensors, const Node& node);

}  // namespace tbn
