// The values that training starts from (docs: `init:` in configs/reference.yaml).
#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "config/config.h"
#include "train/executor/graph_module.h"

namespace tbn {

// Draws every parameter of the module and resets the running statistics. One generator runs through
// all tensors in their order, so that a seed fixes the start and no two layers are alike.
//
//   - Shared latents. normal: N(0, latent_scale). kaiming_uniform: U(-k, k), k = 1 / sqrt(m) for m
//     inputs.
//   - Full latents. normal: N(0, latent_scale / sqrt(p)), so that their sums s have the scale of
//     shared ones. kaiming_uniform: as shared.
//   - alpha_latent: U(-k, k), Kaiming's with a = sqrt 5.
//   - alpha: sqrt(g / m); for convolutions g = 2 where an activation follows (through norms, sums
//     and pools), else 1; for linear layers g = 1/3, the variance of their float start.
//     The sum of m inputs of unit scale keeps their scale. `both_signs`: every other scalar of a
//     layer is negative, so that where no norm follows a ReLU lets both signs of a sum pass.
//   - Float weights, and those that are rounded to integers (uniform). conv2d: Kaiming normal by
//     fan-out. linear, and its bias: U(-k, k).
//   - alpha of integers, one per output: 2 sqrt(Q) times the mean magnitude of its weights, Q the
//     highest level; its step alpha / Q is then the start of LSQ.
//   - A float linear that feeds add_identity, and its bias: 0, so that the transform starts at the
//     identity (Qi et al. 2017).
//   - Other biases: 0.
//   - Norms: weight 1, bias 0. `apart` changes the batch norms that a layer with p > 1 feeds, at
//     once or through pools and activations (state/copies.h): weight +1 or -1 at random and, where
//     an activation follows, bias N(0, norm_bias). The p replicas of a map are equal channels until
//     their norm parts them.
//   - Position tables, class tokens and relative biases: N(0, 0.02).
void initialize(GraphModule& module, const InitConfig& config, std::uint64_t seed);

}  // namespace tbn
