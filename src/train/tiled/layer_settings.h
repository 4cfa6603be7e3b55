// The settings of a convolution, and of the pool and the batch norm after it, besides the weight.
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

// A pool of a convolution's maps before their norm, in pixels.
enum class MapPoolKind { kNone, kMax, kMean };
struct MapPool {
  MapPoolKind kind = MapPoolKind::kNone;
  std::array<std::int64_t, 2> kernel = {1, 1};
  std::array<std::int64_t, 2> stride = {1, 1};
  std::array<std::int64_t, 2> padding = {0, 0};  // takes no part in a maximum; means have none
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
