// A pool between a tiled convolution and its norm, moved to the unique maps: R of them instead of n
// are pooled, and the norm stays one pass over them.
//
//   mean(alpha u) = alpha mean(u)   for every alpha
//   max(alpha u)  = alpha max(u)    where alpha > 0; below it is alpha min(u)
//
// The sign of alpha counts, never that of the norm's weight. At alpha = 0 all of a window is equal
// in alpha u and not in u: the gradients differ.
#pragma once

#include <torch/torch.h>

#include "train/tiled/layer_settings.h"
#include "train/tiled/tiled_function.h"

namespace tbn {

// maps [B, C, H, W] -> [B, C, H', W'], in their memory format; as they are where there is no pool.
torch::Tensor pooled(const torch::Tensor& maps, const MapPool& pool);

// Whether pooling the unique maps gives the values and gradients of pooling the layer's outputs.
// `scalars` are those of the step. Waits for no device: learned scalars on a GPU are not looked at.
bool pools_unique_maps(const MapPool& pool, const TiledWeight& weight,
                       const torch::Tensor& scalars);

}  // namespace tbn
