// The training loss and what is done to its gradients before the optimiser sees them.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

namespace tbn {

// Mean cross entropy in nats of logits [B, K] (any float type; computed in float32 or wider)
// against labels [B] (int64). With smoothing e the target is (1 - e) one-hot + e / K.
at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& labels,
                         double label_smoothing);

// Scales all gradients by max_norm / norm where their joint 2-norm exceeds max_norm. Nothing is
// read back from the device. Returns the norm before clipping, a scalar tensor on the device.
at::Tensor clip_gradients(std::vector<at::Tensor>& gradients, double max_norm);

// Whether no value of these floating-point tensors is infinite or not a number. One read-back.
bool all_finite(const std::vector<at::Tensor>& tensors);

}  // namespace tbn
