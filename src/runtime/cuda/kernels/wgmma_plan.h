// How the kernel "wgmma" cuts a layer into tiles of sums, one at a time for a multiprocessor.
#pragma once

#include "runtime/cuda/layer/layer.h"

namespace tbn::cuda {

// Rows and pixels of a tile. Two warpgroups share it: they take half of its rows each or, of tiles
// of 64 rows, half of its pixels.
struct WgmmaTile {
  int rows, pixels;
  bool padded;  // may have pixels of padded images
};
inline constexpr WgmmaTile kWgmmaTiles[] = {{256, 128, false}, {128, 256, false}, {128, 128, true},
                                            {128, 64, false},  {64, 256, true},   {64, 128, false}};

// Convolutions of stride 1 have their pixels numbered in padded images, where they lie: all taps of
// neighbouring pixels' windows are then one run of padded pixels, which one copy brings, and a tap
// is so many pixels further on. What is computed of the padding is not used.
inline constexpr int kMostReach = 128;  // pixels from a window's first tap to its last

inline constexpr int kStepInputs = 64;  // that a stage of the ring in shared memory holds
inline constexpr int kBlockSteps = kBlockInputs / kStepInputs;

struct WgmmaPlan {
  int tile = 0;         // of kWgmmaTiles
  bool padded = false;  // its pixels are of padded images
  int row_tiles = 0, pixel_tiles = 0;
  int splits = 1;      // blocks that share the inputs of a tile
  int steps = 0;       // of all inputs of a row
  int tap_steps = 0;   // of those of a tap
  int row_blocks = 0;  // of 16 rows, that have bits
  int unit_steps = 0;  // that splits do not part: of 256 inputs, or of all taps
  int copied_pixels = 0;

  __host__ __device__ int items() const { return row_tiles * pixel_tiles * splits; }
  __host__ __device__ int units() const { return (steps + unit_steps - 1) / unit_steps; }
};

// The layer of one tap whose pixels are those of the padded images of a convolution of stride 1.
__host__ __device__ inline LayerShape padded_pixels(LayerShape shape) {
  shape.out_h += shape.kernel_h - 1;
  shape.out_w += shape.kernel_w - 1;
  shape.kernel_h = shape.kernel_w = 1;
  shape.order.taps = 1;
  return shape;
}
// The pixels from the first tap of a window to its last.
inline int reach(const LayerShape& shape) {
  return (shape.kernel_h - 1) * (shape.out_w + shape.kernel_w - 1) + shape.kernel_w - 1;
}

// Whether the kernel computes such shapes, on the device that it is for.
bool wgmma_takes(const LayerShape& shape);
// Whether it does by padded pixels. Matrices then begin at any row of the eight of a swizzle's
// pattern. The PTX ISA defines what the descriptor says of that (the pattern begins at a multiple
// of 1024 bytes: base offset 0), but the code known to run on devices never begins there. So this
// is a rung of its own, which only sessions that try kernels use, where its results were right.
bool wgmma_takes_padded(const LayerShape& shape);
WgmmaPlan wgmma_plan(const LayerShape& shape, int multiprocessors, bool padded = false);
// The bytes of the sums that blocks which share a tile leave for the last of them.
std::int64_t wgmma_partial_bytes(const WgmmaPlan& plan);

}  // namespace tbn::cuda
