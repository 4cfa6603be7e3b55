// The kernel "mma": which rows and pixels a block multiplies, and over how many blocks its inputs
// are split.
#pragma once

#include <cstdint>

#include "runtime/cuda/device/context.h"
#include "runtime/cuda/layer/layer.h"

namespace tbn::cuda {

// What a block computes. Its warps share the rows and pixels of u, and its groups of warps the
// inputs: a group takes every `groups`-th 256 of them.
struct MmaTile {
  int row_tiles;  // of 16 rows, in a warp
  int fragments;  // of 8 pixels, in a warp
  int row_warps, pixel_warps, groups;
  int step;      // inputs of a stage of x
  int stages;    // of x in shared memory
  int ahead;     // blocks of 256 inputs whose bits are loaded before they are needed
  bool gathers;  // compiled for values of x one by one too

  constexpr int rows() const { return 16 * row_tiles * row_warps; }
  constexpr int pixels() const { return 8 * fragments * pixel_warps; }
  constexpr int group_threads() const { return 32 * row_warps * pixel_warps; }
  constexpr int threads() const { return group_threads() * groups; }
  constexpr int stage_bytes() const { return groups * pixels() * step * 2; }
  // Sums lie pixel by pixel; 4 beyond a multiple of 16 floats, so that the lanes of a fragment
  // store to different banks.
  constexpr int sum_stride() const { return rows() + 4; }
  constexpr int sum_bytes() const { return groups * pixels() * sum_stride() * 4; }
  constexpr int window_bytes() const { return pixels() * 16; }
  // Compiled for x in 32 bits too. Only the small ones: sums of few products each are exact enough.
  constexpr bool takes_floats() const { return pixels() <= 16; }
  constexpr int shared_bytes() const {
    const int buffer = stages * stage_bytes();
    return window_bytes() + (buffer > sum_bytes() ? buffer : sum_bytes());
  }
};

// Few pixels: bits are all that takes time, and warps split the inputs. Many: each row of bits that
// is expanded, and each value of x that is loaded from shared memory, meets as many of the others
// as the registers can sum. Few rows (the convolutions of narrow layers): wide in pixels.
inline constexpr MmaTile kMmaTiles[] = {
    {1, 1, 1, 1, 8, 256, 3, 4, true},   // 16 rows, 8 pixels
    {1, 2, 4, 1, 2, 256, 3, 2, false},  // 64, 16
    {2, 4, 2, 1, 4, 64, 3, 1, true},    // 64, 32
    {4, 8, 2, 1, 2, 64, 4, 1, false},   // 128, 64
    {4, 8, 2, 2, 1, 64, 4, 1, false},   // 128, 128
    {2, 8, 2, 2, 1, 64, 3, 1, true},    // 64, 128
    {2, 4, 1, 4, 1, 64, 3, 1, true},    // 32, 128
    {1, 4, 1, 4, 1, 64, 3, 2, true},    // 16, 128
};
inline constexpr int kMmaTileCount = sizeof(kMmaTiles) / sizeof(kMmaTiles[0]);

// Columns of a product that a pixel takes: x in 32 bits is the sum of three values of 8 bits.
constexpr int mma_columns(Precision precision) { return precision == Precision::kFp32 ? 3 : 1; }

struct MmaPlan {
  int tile = -1;        // of kMmaTiles; -1: none
  int splits = 1;       // blocks that share the inputs of a tile
  int blocks_each = 0;  // of 256 inputs, that one of them takes
  std::int64_t tiles_in_rows = 0, tiles_in_pixels = 0;

  std::int64_t tiles() const { return tiles_in_rows * tiles_in_pixels; }
};

// Whether all of x comes in aligned pieces of 8 inputs of one tap.
bool mma_whole_pieces(const LayerShape& shape);
// The plan of the least estimated time on the device.
MmaPlan mma_plan(const LayerShape& shape, Precision precision, const DeviceInfo& device);

}  // namespace tbn::cuda
