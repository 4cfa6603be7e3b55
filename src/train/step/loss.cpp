// Losses, the penalty of transforms, gradient clipping and the check for values that are not
// finite.
#include "train/step/loss.h"

#include <torch/torch.h>

namespace tbn {

namespace {

at::Tensor widened(const at::Tensor& x) {
  return x.to(at::promote_types(x.scalar_type(), at::kFloat));
}

}  // namespace

at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& labels,
                         double label_smoothing) {
  return at::cross_entropy_loss(widened(logits).flatten(0, -2), labels.flatten(), {},
                                at::Reduction::Mean, -100, label_smoothing);
}

at::Tensor mse_loss(const at::Tensor& predictions, const at::Tensor& targets) {
  const at::Tensor wide = widened(predictions);
  return at::mse_loss(wide, targets.to(wide.scalar_type()));
}

at::Tensor orthogonal_penalty(const at::Tensor& transforms) {
  const at::Tensor a = widened(transforms);
  const at::Tensor identity = at::eye(a.size(1), a.options());
  return at::norm(identity - at::matmul(a, a.transpose(1, 2)), 2, {1, 2}).mean();
}

at::Tensor clip_gradients(std::vector<at::Tensor>& gradients, double max_norm) {
  const torch::NoGradGuard no_grad;
  if (gradients.empty()) return at::zeros({});
  const at::Tensor norm = at::stack(at::_foreach_norm(gradients, 2)).norm();
  // The 1e-6 keeps a gradient of zero from dividing by zero.
  at::_foreach_mul_(gradients, at::clamp_max(max_norm / (norm + 1e-6), 1.0));
  return norm;
}

}  // namespace tbn
