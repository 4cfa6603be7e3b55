// The method on tensors (arXiv 2407.12075, section 3): a tiled weight, its straight-through
// gradient, and the layers that reuse the tile in arithmetic: u = T x for R = n / p unique rows,
// then the fan-out y = concat_i(alpha_i * u), or the p copies of each row side by side. Forward and
// input gradient cost 1 / p of a dense layer; with shared latents the weight gradient does too.
//
// float64, float32, or bfloat16 under autocast (latents and scalars stay float32); any device.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "tbn/encodings.h"
#include "train/tiled/layer_settings.h"

namespace tbn {

// The weight [n, m...] of a layer, as parameters. Its gradients:
//   full latents W [n, m...]: each position takes its own slice's gradient, dW_i = alpha_i * dB_i
//   shared latents s (rows form [R, m...], flat [q]): ds = sum_i alpha_i * dB_i
// both through the sign unchanged (no clipping, no 1 / p).
struct TiledWeight {
  TiledWeights encoding;
  TileLayout layout;
  std::vector<std::int64_t> shape;  // [n, m...]
  torch::Tensor latent;
  torch::Tensor alpha;  // weight: A [n, m...]; learned: scalars [p], [1] or [n]; scores: undefined
};

// The shapes of `latent` and `alpha` (empty: no tensor) for a weight of `shape`.
std::vector<std::int64_t> latent_shape(const TiledWeights& encoding, const TileLayout& layout,
                                       at::IntArrayRef shape);
std::vector<std::int64_t> alpha_shape(const TiledWeights& encoding, const TileLayout& layout,
                                      at::IntArrayRef shape);

// A weight [n, m...] as its p slices [p, q], and back to `shape`.
torch::Tensor to_slices(const torch::Tensor& weight, const TileLayout& layout);
torch::Tensor from_slices(const torch::Tensor& slices, const TileLayout& layout,
                          at::IntArrayRef shape);

// +1 where s > 0, else -1; the gradient passes unchanged.
torch::Tensor sign_straight_through(const torch::Tensor& s);

// alpha_1..alpha_p, [p] (equal ones for scope layer), or [n] for scope output; differentiable.
torch::Tensor tile_scalars(const TiledWeight& weight);

// B^ [n, m...], differentiable.
torch::Tensor expanded_weight(const TiledWeight& weight);

// u = T x, the R unique maps [B, R, H', W'] of a layer that reuses its rows (tile/reuse.h).
torch::Tensor unique_maps(const torch::Tensor& x, const TiledWeight& weight,
                          const ConvGeometry& geometry);

// x [..., m] -> [..., n]; bias [n] or undefined.
torch::Tensor tiled_linear(const torch::Tensor& x, const TiledWeight& weight,
                           const torch::Tensor& bias = {});

// x [B, C, H, W] -> [B, n, H', W'] in x's memory format; bias [n] or undefined.
torch::Tensor tiled_conv2d(const torch::Tensor& x, const TiledWeight& weight,
                           const torch::Tensor& bias, const ConvGeometry& geometry);

// act(batch_norm(pool(tiled_conv2d(x))) + residual) in one pass over the outputs, the same values,
// gradients and running statistics as the parts one after another, for layers whose
// norm_sees_maps() (encodings/tiled.h). The norm sees p scaled copies of R maps, so statistics are
// taken of the maps: mean_c = alpha_i * mean(u_r), var_c = alpha_i^2 * var(u_r). Only u and the
// result are kept for the backward pass. `residual` [B, n, H', W'] may be undefined. The pool is
// taken of the maps where that is the same (map_pool.h), else the parts follow one another.
torch::Tensor tiled_conv2d_norm(const torch::Tensor& x, const TiledWeight& weight,
                                const ConvGeometry& geometry, const NormState& norm, bool training,
                                const torch::Tensor& residual, bool relu, const MapPool& pool = {});

}  // namespace tbn
