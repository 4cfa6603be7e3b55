// How the kernel "wgmma" cuts a layer into tiles of sums, one at a time for a multiprocessor.
#pragma once

#include "runtime/cuda/layer.h"

namespace tbn::cuda {

// Rows and pixels of a tile. Two warpgroups share it: they take half of its rows each or, of tiles
// of 64 rows, half of its pixels.
struct WgmmaTile {
  int rows, pixels;
};
inline constexpr WgmmaTile kWgmmaTiles[] = {{256, 128}, {128, 256}, {128, 128},
                                            {128, 64},  {64, 256},  {64, 128}};

inline constexpr int kStepInputs = 64;  // that a stage of the ring in shared memory holds
inline constexpr int kBlockSteps = kBlockInputs / kStepInputs;

struct WgmmaPlan {
  int tile = 0;  // of kWgmmaTiles
  int row_tiles = 0, pixel_tiles = 0;
  int splits = 1;      // blocks that share the inputs of a tile
  int steps = 0;       // of all inputs of a row
  int tap_steps = 0;   // of those of a tap
  int row_blocks = 0;  // of 16 rows, that have bits

  __host__ __device__ int items() const { return row_tiles * pixel_tiles * splits; }
};

// Whether the kernel computes such shapes, on the device that it is for.
bool wgmma_takes(const LayerShape& shape);
WgmmaPlan wgmma_plan(const LayerShape& shape, int multiprocessors);
// Of the sums that blocks which share a tile leave for the last of them.
std::int64_t wgmma_partial_bytes(const WgmmaPlan& plan);

}  // namespace tbn::cuda
