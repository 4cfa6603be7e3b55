// Where a tile is reused in arithmetic: one rule for training, export and the runtimes.
#pragma once

#include <cstdint>

#include "tbn/tile.h"

namespace tbn {

// Whether a layer of that tile computes only its R unique rows: rows form, and all slices see the
// same inputs (one group, or nothing to reuse at p = 1).
bool reuses_rows(const TileLayout& layout, std::int64_t groups = 1);

}  // namespace tbn
