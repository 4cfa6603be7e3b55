// What a block of the kernel "wgmma" is made of: its warpgroups' shares of a tile, the ring of
// stages in shared memory, and the order in which it takes the layer's tiles.
#pragma once

#include "runtime/cuda/device/ptx_wgmma.h"
#include "runtime/cuda/kernels/wgmma_plan.h"

namespace tbn::cuda {

inline constexpr int kWgmmaThreads = 3 * kWarpgroup;  // one warpgroup copies, two multiply
// Sums on their way to the outputs: 64 pixels by 64 rows, in runs of four (see staged_at).
inline constexpr int kPatchPixels = 64, kPatchRows = 64;
inline constexpr int kPatchStride = 68;

// Each warpgroup has kParts times 64 rows by kColumns pixels of sums in its registers; the second
// has other pixels than the first where kBeside, else other rows. Where kPadded_, a stage has room
// for the pixels that windows reach beyond the tile's.
template <int kParts_, int kColumns_, bool kBeside_, bool kPadded_ = false>
struct WgmmaBlock {
  static constexpr int kParts = kParts_, kColumns = kColumns_;
  static constexpr bool kBeside = kBeside_, kPadded = kPadded_;
  static constexpr int kRows = 64 * kParts * (kBeside ? 1 : 2);
  static constexpr int kPixels = kColumns * (kBeside ? 2 : 1);
  static constexpr int kStageBytes = (kPixels + (kPadded ? kMostReach : 0)) * kStepInputs * 2;
  static constexpr unsigned kStages = kPixels == 256 || kPadded ? 4 : 8;  // a power of two
  static constexpr int kPatchFloats = kPatchPixels * kPatchStride;        // of each warpgroup
  static constexpr int kSharedBytes = static_cast<int>(kStages) * kStageBytes +
                                      2 * kPatchFloats * 4 +
                                      static_cast<int>(2 * kStages * sizeof(Barrier)) + 2 * 4;
  static_assert(kStageBytes % 1024 == 0 && kSharedBytes <= 227 * 1024);

  using Sums = float[kParts][kColumns / 2];  // of a thread: see ptx_wgmma.h
};

// Shared memory of a block.
template <class Block>
struct WgmmaShared {
  unsigned char* begin;

  __device__ unsigned char* stage(int i) const { return begin + i * Block::kStageBytes; }
  __device__ float* patch(int warpgroup) const {
    return reinterpret_cast<float*>(stage(Block::kStages)) + warpgroup * Block::kPatchFloats;
  }
  // A stage's copies have come; its products are done.
  __device__ Barrier* full(int i) const { return reinterpret_cast<Barrier*>(patch(2)) + i; }
  __device__ Barrier* empty(int i) const { return full(Block::kStages + i); }
  // For each warpgroup, whether it was the last of those that share a tile.
  __device__ int* last(int warpgroup) const {
    return reinterpret_cast<int*>(full(2 * Block::kStages)) + warpgroup;
  }
};

// How many stages a thread has passed: which one is next, and the parity of the phase in which it
// is used this time.
template <class Block>
struct RingPlace {
  unsigned passed = 0;

  __device__ __forceinline__ int stage() const { return static_cast<int>(passed % Block::kStages); }
  __device__ __forceinline__ int stage_before() const {
    return static_cast<int>((passed - 1) % Block::kStages);
  }
  __device__ __forceinline__ unsigned parity() const { return passed / Block::kStages % 2; }
};

// What a block does at a time: steps [first_step, end_step) of a tile, counted tap by tap, for
// padded pixels channels by channels. Tiles of the same pixels follow each other: they run at once,
// and their activations come from memory once.
struct WorkItem {
  int tile, row_tile, pixel_tile, split;
  int first_step, end_step;
};
__device__ __forceinline__ WorkItem work_item(const WgmmaPlan& plan, int item) {
  WorkItem work;
  work.tile = item / plan.splits;
  work.split = item % plan.splits;
  work.row_tile = work.tile % plan.row_tiles;
  work.pixel_tile = work.tile / plan.row_tiles;
  const int units = plan.units(), end = (work.split + 1) * units / plan.splits * plan.unit_steps;
  work.first_step = work.split * units / plan.splits * plan.unit_steps;
  work.end_step = end < plan.steps ? end : plan.steps;
  return work;
}

}  // namespace tbn::cuda
