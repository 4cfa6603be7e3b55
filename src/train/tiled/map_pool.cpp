// LibTorch's pools, and the signs of scalars.
#include "train/tiled/map_pool.h"

#include "tbn/error.h"

namespace tbn {

torch::Tensor pooled(const torch::Tensor& maps, const MapPool& pool) {
  switch (pool.kind) {
    case MapPoolKind::kNone:
      return maps;
    case MapPoolKind::kMax:
      return at::max_pool2d(maps, pool.kernel, pool.stride, pool.padding);
    case MapPoolKind::kMean:
      return at::avg_pool2d(maps, pool.kernel, pool.stride, pool.padding);
  }
  TBN_CHECK(false, "unknown kind of pool");
}

bool pools_unique_maps(const MapPool& pool, const TiledWeight& weight,
                       const torch::Tensor& scalars) {
  if (pool.kind != MapPoolKind::kMax) return true;
  // Mean magnitudes of latents: 0 only where all of them are, and then they get no gradient.
  if (weight.encoding.alpha_from != AlphaSource::kLearned) return true;
  return scalars.device().is_cpu() && scalars.detach().gt(0).all().item<bool>();
}

}  // namespace tbn
