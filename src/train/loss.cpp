// Cross entropy, gradient clipping and the check for values that are not finite.
#include "train/loss.h"

#include <torch/torch.h>

namespace tbn {

at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& labels,
                         double label_smoothing) {
  const bool narrow = logits.scalar_type() == at::kHalf || logits.scalar_type() == at::kBFloat16;
  return at::cross_entropy_loss(narrow ? logits.to(at::kFloat) : logits, labels, {},
                                at::Reduction::Mean, -100, label_smoothing);
}

at::Tensor clip_gradients(std::vector<at::Tensor>& gradients, double max_norm) {
  const torch::NoGradGuard no_grad;
  if (gradients.empty()) return at::zeros({});
  const at::Tensor norm = at::stack(at::_foreach_norm(gradients, 2)).norm();
  // The 1e-6 keeps a gradient of zero from dividing by zero.
  at::_foreach_mul_(gradients, at::clamp_max(max_norm / (norm + 1e-6), 1.0));
  return norm;
}

bool all_finite(const std::vector<at::Tensor>& tensors) {
  if (tensors.empty()) return true;
  const torch::NoGradGuard no_grad;
  // The largest magnitude cannot overflow, as a sum of squares could.
  const std::vector<at::Tensor> largest =
      at::_foreach_norm(tensors, std::numeric_limits<double>::infinity());
  return at::isfinite(at::stack(largest)).all().item<bool>();
}

}  // namespace tbn
