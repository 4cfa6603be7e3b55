// What training and export must know of tiled weights beyond their room.
#pragma once

#include <cstdint>

#include "tbn/encodings.h"

namespace tbn {

// How a tiled layer's weight is cut into tiles. Throws ConfigError, beginning with dims.where,
// where p divides neither n nor n * m.
TileLayout layout_of(const TiledWeights& weights, const LayerDims& dims);

// Whether one gradient a bit of the tile is all that its latents get: shared latents, or p = 1,
// where full ones are the same.
bool has_shared_gradient(const TiledWeights& weights);

// Whether a batch norm right after a convolution sees p scaled copies of its R maps one after
// another, so that it can be trained on the maps alone: rows that are reused in repeat order, one
// gradient for their slices, and no bias between.
bool norm_sees_maps(const TileLayout& layout, const TiledWeights& weights, std::int64_t groups,
                    bool bias);

}  // namespace tbn
