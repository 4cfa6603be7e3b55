// The ops on sequences and windows as functions of tensors, with autograd. B is the batch, which
// comes first everywhere.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "tbn/graph.h"

namespace tbn {

// Tensors that follow from a node's attributes alone; undefined where its op needs none. W windows
// of L = window^2 pixels.
struct NodeConstants {
  torch::Tensor bias_rows;  // [L L] int64: the row of the relative bias for each query and key
  torch::Tensor regions;    // [W, 1, L, L]: 0, or -inf where only the roll made two neighbours
  torch::Tensor positions;  // [T, F]: the sinusoidal table
  torch::Tensor mean;       // of normalisation, [1, C, 1...], and
  torch::Tensor deviation;
};
NodeConstants constants_of(const Node& node, const torch::TensorOptions& options);

// inputs: one [B, T, 3 F] or three [B, T, F]; relative_bias [(2 window - 1)^2, heads] or undefined.
// Returns [B, T, F].
torch::Tensor attention(const Attention& op, const std::vector<torch::Tensor>& inputs,
                        const torch::Tensor& relative_bias, const NodeConstants& constants);

// x [B, C, ...] or [B, T, F], normalised over all but the channels (see channel_axis); weight, bias
// and running statistics [channels], which move by `momentum` in training.
torch::Tensor batch_norm(const BatchNorm& op, const torch::Tensor& x, const torch::Tensor& weight,
                         const torch::Tensor& bias, const torch::Tensor& running_mean,
                         const torch::Tensor& running_var, double momentum, bool training);

// x [B, C, H, W] with its channels last in memory. With one channel both layouts are the same
// bytes, and only the strides tell a convolution which of them its output shall have.
torch::Tensor in_channels_last(const torch::Tensor& x);

// y = (x - mean) / deviation per channel of x [B, ...shape].
torch::Tensor normalize(const NodeConstants& constants, const torch::Tensor& x);

// token [F] in front of x [B, T, F].
torch::Tensor with_class_token(const torch::Tensor& token, const torch::Tensor& x);

// x + I for x [B, K, K], in float32 or wider: near the identity bfloat16 has two digits.
torch::Tensor add_identity(const torch::Tensor& x);

// x [B, T, F] -> [B, F]. Of equal largest values one takes the whole gradient.
torch::Tensor sequence_pool(PoolKind kind, const torch::Tensor& x);

// x [B, T, C], along T.
torch::Tensor moving_average(const torch::Tensor& x, std::int64_t kernel);

}  // namespace tbn
