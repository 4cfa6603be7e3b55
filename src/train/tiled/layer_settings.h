// The settings of a convolution, and of the batch norm after it, besides the weight.
#pragma once

#include <torch/torch.h>

#include <array>
#include <cstdint>

namespace tbn {

struct ConvGeometry {
  std::array<std::int64_t, 2> stride = {1, 1};
  std::array<std::int64_t, 2> padding = {0, 0};
  std::int64_t groups = 1;
};

// A batch norm's tensors, each [n]. The running statistics are updated where `training`.
struct NormState {
  torch::Tensor weight;
  torch::Tensor bias;
  torch::Tensor running_mean;
  torch::Tensor running_var;
  double momentum = 0.1;
  double eps = 1e-5;
};

}  // namespace tbn
