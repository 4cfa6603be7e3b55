// Weights rounded to multiples of a learned step, one per output: LSQ (Esser et al., arXiv
// 1902.08153).
#pragma once

#include <torch/torch.h>

namespace tbn {

// The whole numbers that are stored, lowest < 0 < highest.
struct LevelRange {
  double lowest = -128;
  double highest = 127;
};

// w [n, m...], step [n] > 0. With v = w / step of its output, returns w^ = step * level, where
// level = v clamped to the range and rounded, half to even, in the dtype of w. Gradients:
//   dw = dw^ where lowest < v < highest, else 0
//   dstep = step_gradient * sum over the output's weights of dw^ * (level - v), where v is inside
//           the range, of dw^ * level elsewhere
torch::Tensor round_to_steps(const torch::Tensor& w, const torch::Tensor& step, LevelRange range,
                             double step_gradient);

// The steps [n], among 32 below the one that stores the largest weight of its output, at which
// round_to_steps() is nearest to w; 0 for an output of zeros.
torch::Tensor nearest_steps(const torch::Tensor& w, LevelRange range);

}  // namespace tbn
