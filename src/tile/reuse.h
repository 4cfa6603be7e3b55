// Where a tile is reused in arithmetic, and what may follow it: one rule for training, export and
// the runtimes.
#pragma once

#include <cstdint>

#include "tbn/tile.h"

namespace tbn {

// Whether a layer of that tile computes only its R unique rows: rows form, and all slices see the
// same inputs (one group, or nothing to reuse at p = 1).
bool reuses_rows(const TileLayout& layout, std::int64_t groups = 1);

// Whether one gradient a bit of the tile is all that its latents get: shared latents, or p = 1,
// where full ones are the same.
bool has_shared_gradient(const TiledWeights& weights);

// Whether a batch norm right after a convolution sees p scaled copies of its R maps one after
// another, so that it can be trained on the maps alone: rows that are reused in repeat order, one
// gradient for their slices, and no bias between.
bool norm_sees_maps(const TileLayout& layout, const TiledWeights& weights, std::int64_t groups,
                    bool bias);

}  // namespace tbn
