// A second opinion on what a network computes: each output by itself, in double, straight from
// the formulas, for training and packed graphs alike. Slow, and independent of src/tile and
// src/runtime.
#pragma once

#include <span>
#include <vector>

#include "tbn/model.h"

namespace tbn::test {

// The output for one example, in evaluation mode (running statistics, no dropout).
std::vector<double> naive_eval(const Model& model, std::span<const float> input);

// The whole weight tensor [n * m] of a conv2d or linear: B^ of the paper's section 3 where it is
// tiled, without a packed layer's scale.
std::vector<double> naive_weights(const Model& model, const Node& node);

// The largest |a - b| / max(1, largest |b|); infinite where sizes differ or a value is not a
// number.
double relative_error(std::span<const float> a, std::span<const double> b);
double relative_error(std::span<const double> a, std::span<const double> b);

}  // namespace tbn::test
