// What a conv2d or linear layer makes of the sums of its rows, for every backend: which outputs a
// sum has, their gains and biases, and the activation.
#pragma once

#include <cstdint>
#include <iterator>
#include <vector>

#include "encodings/layer_rows.h"
#include "tbn/graph.h"

namespace tbn {

// `rows` of a pixel's sums from `first` on: copy i of sum r goes to output r * row_step +
// i * copy_step.
struct SumTerm {
  std::int64_t first = 0;
  std::int64_t rows = 0;
  std::int64_t row_step = 1;
  std::int64_t copy_step = 0;
  std::vector<float> gain;  // [n]: scalars and a folded norm's scale
  std::int64_t copies() const { return std::ssize(gain) / rows; }
};

// With the sums u = W x, output c is act(sum over terms of gain[c] * u[of c] + bias[c]).
struct LayerOutputs {
  std::int64_t outputs = 0;    // n
  std::int64_t inputs = 0;     // m
  std::int64_t sums = 0;       // of a pixel
  std::vector<SumTerm> terms;  // one or more
  std::vector<float> bias;     // [n]
  ActivationKind activation = ActivationKind::kNone;

  // The only term of a layer that has one.
  const SumTerm& term() const { return terms.front(); }
};

// The outputs of a node, made from its rows (graph/node_rows.h).
LayerOutputs layer_outputs(const LayerRows& rows, const TensorMap& tensors, const Node& node);

}  // namespace tbn
