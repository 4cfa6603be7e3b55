// Tiles whose inputs several blocks of the kernel "wgmma" share: each leaves its sums in the
// workspace, and the last to come adds all of them in the order of the inputs, whichever it is.
#pragma once

#include "runtime/cuda/kernels/wgmma_block.h"

namespace tbn::cuda {

// Where the four sums of a thread lie: [tile][split][warpgroup][part][four][thread].
template <class Block>
struct PartialSums {
  static constexpr int kFours = Block::kColumns / 2 / 4;
  float4* first;  // of the tile
  int warpgroup, thread;

  __device__ PartialSums(void* workspace, const WgmmaPlan& plan, const WorkItem& work, int group)
      : first(reinterpret_cast<float4*>(static_cast<char*>(workspace) + kCounterBytes) +
              std::int64_t{work.tile} * plan.splits * 2 * Block::kParts * kFours * kWarpgroup),
        warpgroup(group),
        thread(static_cast<int>(threadIdx.x) % kWarpgroup) {}
  __device__ __forceinline__ float4* at(int split, int part, int four) const {
    const int sums = ((split * 2 + warpgroup) * Block::kParts + part) * kFours + four;
    return first + sums * kWarpgroup + thread;
  }
};

template <class Block>
__device__ __forceinline__ void leave_sums(const PartialSums<Block>& partial, int split,
                                           const typename Block::Sums& sums) {
#pragma unroll
  for (int part = 0; part < Block::kParts; ++part) {
#pragma unroll
    for (int i = 0; i < partial.kFours; ++i) {
      const float* const four = sums[part] + 4 * i;
      *partial.at(split, part, i) = {four[0], four[1], four[2], four[3]};
    }
  }
}

template <class Block>
__device__ __forceinline__ void collect_sums(const PartialSums<Block>& partial, int splits,
                                             typename Block::Sums& sums) {
#pragma unroll
  for (int part = 0; part < Block::kParts; ++part) {
#pragma unroll
    for (int i = 0; i < Block::kColumns / 2; ++i) sums[part][i] = 0;
  }
#pragma unroll 1
  for (int split = 0; split < splits; ++split) {
#pragma unroll
    for (int part = 0; part < Block::kParts; ++part) {
#pragma unroll
      for (int i = 0; i < partial.kFours; ++i) {
        const float4 four = load_shared_cache(partial.at(split, part, i));
        sums[part][4 * i] += four.x;
        sums[part][4 * i + 1] += four.y;
        sums[part][4 * i + 2] += four.z;
        sums[part][4 * i + 3] += four.w;
      }
    }
  }
}

// Whether this block is the last of those that share the tile; then `sums` are those of all.
template <class Block>
__device__ __forceinline__ bool share_sums(const WgmmaPlan& plan, const WorkItem& work,
                                           int warpgroup, int* last, void* workspace,
                                           typename Block::Sums& sums) {
  const PartialSums<Block> partial(workspace, plan, work, warpgroup);
  leave_sums<Block>(partial, work.split, sums);
  // All threads have written before one counts, and it has counted before any reads: fences of the
  // thread that counts order what the barriers before and after it do, as in grids that wait.
  named_barrier(1 + warpgroup, kWarpgroup);
  if (partial.thread == 0) {
    auto* counter = static_cast<unsigned*>(workspace) + work.tile * 2 + warpgroup;
    __threadfence();
    *last = atomicAdd(counter, 1u) + 1 == static_cast<unsigned>(plan.splits);
    __threadfence();
    if (*last) *counter = 0;
  }
  named_barrier(1 + warpgroup, kWarpgroup);
  if (!*last) return false;
  collect_sums<Block>(partial, plan.splits, sums);
  return true;
}

}  // namespace tbn::cuda
