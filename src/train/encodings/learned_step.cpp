// The rounding and its straight-through gradient.
#include "train/encodings/learned_step.h"

namespace tbn {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

// One value per output, [n], beside w [n, m...].
Tensor beside(const Tensor& values, const Tensor& w) {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(w.dim()), 1);
  sizes[0] = values.numel();
  return values.view(sizes);
}

Tensor levels(const Tensor& v, LevelRange range) {
  return v.clamp(range.lowest, range.highest).round_();
}

struct RoundToSteps : torch::autograd::Function<RoundToSteps> {
  static Tensor forward(AutogradContext* ctx, const Tensor& w, const Tensor& step, double lowest,
                        double highest, double step_gradient) {
    ctx->save_for_backward({w, step});
    ctx->saved_data["lowest"] = lowest;
    ctx->saved_data["highest"] = highest;
    ctx->saved_data["step_gradient"] = step_gradient;
    const Tensor steps = beside(step, w);
    return levels(w / steps, {lowest, highest}).mul_(steps);
  }

  static tensor_list backward(AutogradContext* ctx, tensor_list grad) {
    const auto saved = ctx->get_saved_variables();
    const LevelRange range = {ctx->saved_data["lowest"].toDouble(),
                              ctx->saved_data["highest"].toDouble()};
    const Tensor v = saved[0] / beside(saved[1], saved[0]);
    const Tensor outside = v.le(range.lowest).logical_or_(v.ge(range.highest));
    const Tensor slope = levels(v, range).sub_(v.masked_fill(outside, 0));
    const Tensor dstep = (grad[0] * slope).flatten(1).sum(1);
    return {grad[0].masked_fill(outside, 0),
            dstep.mul_(ctx->saved_data["step_gradient"].toDouble()),
            {},
            {},
            {}};
  }
};

}  // namespace

Tensor round_to_steps(const Tensor& w, const Tensor& step, LevelRange range, double step_gradient) {
  return RoundToSteps::apply(w, step, range.lowest, range.highest, step_gradient);
}

Tensor nearest_steps(const Tensor& w, LevelRange range) {
  constexpr int kTried = 32;
  const Tensor rows = w.flatten(1);
  const Tensor largest = torch::maximum(rows.amax(1) / range.highest, rows.amin(1) / range.lowest);
  Tensor best = largest, least_error;
  for (int i = kTried; i > 0; --i) {
    const Tensor step = largest * (static_cast<double>(i) / kTried);
    const Tensor divisor = torch::where(step > 0, step, 1.0).unsqueeze(1);
    const Tensor error = (levels(rows / divisor, range) * divisor - rows).square().sum(1);
    if (!least_error.defined()) {
      least_error = error;
      continue;
    }
    best = torch::where(error < least_error, step, best);
    least_error = torch::minimum(error, least_error);
  }
  return best;
}

}  // namespace tbn
