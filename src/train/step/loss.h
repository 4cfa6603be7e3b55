// The training loss and what is done to its gradients before the optimiser sees them.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

namespace tbn {

// Mean cross entropy in nats of logits [B, K], or [B, N, K] of N points (any float type; computed
// in float32 or wider), against labels [B] or [B, N] (int64). With smoothing e the target is
// (1 - e) one-hot + e / K.
at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& labels,
                         double label_smoothing);

// Mean squared error of predictions (any float type; computed in float32 or wider) and targets of
// one shape.
at::Tensor mse_loss(const at::Tensor& predictions, const at::Tensor& targets);

// The mean over the batch of the Frobenius norm |I - A A^T| of transforms A [B, K, K], in float32
// or wider outside of autocast: PointNet's regularisation of its feature transform (Qi et al. 2017,
// section 4.2, as its PyTorch implementations have it). At an orthogonal A the gradient is 0.
at::Tensor orthogonal_penalty(const at::Tensor& transforms);

// Scales all gradients by max_norm / norm where their joint 2-norm exceeds max_norm. Nothing is
// read back from the device. Returns the norm before clipping, a scalar tensor on the device.
at::Tensor clip_gradients(std::vector<at::Tensor>& gradients, double max_norm);

}  // namespace tbn
