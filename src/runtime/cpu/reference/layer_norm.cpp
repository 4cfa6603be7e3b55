// y = (x - mean) / sqrt(var + eps) * weight + bias over the last dimension.
#include <cmath>
#include <vector>

#include "runtime/cpu/reference/kernel.h"

namespace tbn::reference {

namespace {

struct LayerNormPlan {
  std::vector<float> weight;  // [F]
  std::vector<float> bias;    // [F]
  double eps = 0;
  std::int64_t rows = 1;

  // The sums are in double: a mean far from 0 would cost a float variance its digits.
  void row(const float* x, float* y) const {
    const std::size_t count = weight.size();
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += static_cast<double>(x[i]);
    const double mean = sum / static_cast<double>(count);
    double squares = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const double d = static_cast<double>(x[i]) - mean;
      squares += d * d;
    }
    const auto factor =
        static_cast<float>(1.0 / std::sqrt(squares / static_cast<double>(count) + eps));
    const auto centre = static_cast<float>(mean);
    for (std::size_t i = 0; i < count; ++i) y[i] = (x[i] - centre) * factor * weight[i] + bias[i];
  }
};

}  // namespace

Kernel make_layer_norm(const LayerNorm& op, std::span<const float> weight,
                       std::span<const float> bias, const Shape& shape) {
  LayerNormPlan plan{.weight = {weight.begin(), weight.end()},
                     .bias = {bias.begin(), bias.end()},
                     .eps = op.eps,
                     .rows = element_count(shape) / shape.back()};
  return {.run = [plan = std::move(plan), width = shape.back()](const Buffers& b) {
    for (std::int64_t i = 0; i < plan.rows; ++i) {
      plan.row(b.inputs[0] + i * width, b.output + i * width);
    }
  }};
}

}  // namespace tbn::reference
