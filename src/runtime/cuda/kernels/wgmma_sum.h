// Sums of the kernel "wgmma": a warpgroup multiplies its rows' bits, made numbers in registers, by
// the activations in the ring.
#pragma once

#include <type_traits>

#include "runtime/cuda/kernels/wgmma_block.h"

namespace tbn::cuda {

// Operand A of one step for 64 rows: four products of 16 inputs, four registers each.
using StepWeights = unsigned[4][4];

// A lane's weights of step kStep of the 256 inputs in `words`: bit b of a word, and bit b + 16, go
// to the signs of the two numbers, -1 where they are 0 (see tile_order.h).
template <class T, int kStep>
__device__ __forceinline__ void expand(const uint4& words, StepWeights& weights) {
  constexpr unsigned kMinusOnes = std::is_same_v<T, __half> ? 0xBC00BC00u : 0xBF80BF80u;
  const unsigned rows[2] = {kStep < 2 ? words.x : words.z, kStep < 2 ? words.y : words.w};
#pragma unroll
  for (int k = 0; k < 4; ++k) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int bit = 2 * (kStep % 2 * 4 + k) + i / 2;
      weights[k][i] = ((rows[i % 2] << (15 - bit)) & 0x80008000u) ^ kMinusOnes;
    }
  }
}

// One warpgroup's way through its part of the tiles.
template <class T, class Block>
class WgmmaSummer {
 public:
  __device__ WgmmaSummer(const WgmmaShared<Block>& shared, const WgmmaPlan& plan,
                         const std::uint32_t* bits, int blocks, int warpgroup)
      : shared_(shared),
        plan_(plan),
        bits_(reinterpret_cast<const uint4*>(bits)),
        blocks_(blocks),
        warpgroup_(warpgroup),
        lane_(static_cast<int>(threadIdx.x) % kWarp),
        warp_(static_cast<int>(threadIdx.x) % kWarpgroup / kWarp) {}

  // The warpgroup's sums of an item; advances in the ring by its steps.
  __device__ __forceinline__ void sum(const WorkItem& work, typename Block::Sums& sums) {
    int block = work.first_step / kBlockSteps;
    const int whole = work.end_step / kBlockSteps, rest = work.end_step % kBlockSteps;
    const int row =
        work.row_tile * Block::kRows + (Block::kBeside ? 0 : warpgroup_ * 64 * Block::kParts);
    uint4 words[Block::kParts], next[Block::kParts];
    StepWeights weights[2][Block::kParts];
    load(row, block, words);
    load(row, block + 1, next);
    expand_all<0>(words, weights[0]);
    zero(sums);
    previous_ = -1;
    // Weights of the next step are made while the units multiply by those of this one.
    for (; block < whole; ++block) {
      step<0>(sums, weights[0], words, weights[1]);
      step<1>(sums, weights[1], words, weights[0]);
      step<2>(sums, weights[0], words, weights[1]);
      step<3>(sums, weights[1], next, weights[0]);
#pragma unroll
      for (int part = 0; part < Block::kParts; ++part) words[part] = next[part];
      load(row, block + 2, next);
    }
    if (rest > 0) step<0>(sums, weights[0], words, weights[1]);
    if (rest > 1) step<1>(sums, weights[1], words, weights[0]);
    if (rest > 2) step<2>(sums, weights[0], words, weights[1]);
    wgmma_wait<0>();
    hold(sums);
    release(previous_);
  }

 private:
  // Bits of a block of 256 inputs, of this warp's 16 rows in each of its 64; of the last ones there
  // are where there are no more.
  __device__ __forceinline__ void load(int row, int block, uint4 (&words)[Block::kParts]) const {
    const int inside = block < blocks_ ? block : blocks_ - 1;
#pragma unroll
    for (int part = 0; part < Block::kParts; ++part) {
      const int wanted = (row + 64 * part) / kBlockRows + warp_;
      const int row_block = wanted < plan_.row_blocks ? wanted : plan_.row_blocks - 1;
      words[part] = __ldg(bits_ + (std::int64_t{row_block} * blocks_ + inside) * kWarp + lane_);
    }
  }

  __device__ __forceinline__ static void zero(typename Block::Sums& sums) {
#pragma unroll
    for (int part = 0; part < Block::kParts; ++part) {
#pragma unroll
      for (int i = 0; i < Block::kColumns / 2; ++i) sums[part][i] = 0;
    }
    hold(sums);
  }
  __device__ __forceinline__ static void hold(typename Block::Sums& sums) {
#pragma unroll
    for (int part = 0; part < Block::kParts; ++part) hold_sums(sums[part]);
  }

  template <int kStep>
  __device__ __forceinline__ static void expand_all(const uint4 (&words)[Block::kParts],
                                                    StepWeights (&weights)[Block::kParts]) {
#pragma unroll
    for (int part = 0; part < Block::kParts; ++part) expand<T, kStep>(words[part], weights[part]);
  }

  // Starts the products of step kStep of four, and makes the weights of the one after it. One group
  // of products stays under way: only what the group before it read may be written.
  template <int kStep>
  __device__ __forceinline__ void step(typename Block::Sums& sums,
                                       const StepWeights (&weights)[Block::kParts],
                                       const uint4 (&words)[Block::kParts],
                                       StepWeights (&later)[Block::kParts]) {
    barrier_wait(shared_.full(place_.stage), place_.parity);
    constexpr int kOthers = Block::kColumns * kStepInputs * 2;  // the other warpgroup's pixels
    const std::uint64_t pixels =
        matrix_at(shared_.stage(place_.stage) + (Block::kBeside ? warpgroup_ * kOthers : 0));
    wgmma_fence();
#pragma unroll
    for (int k = 0; k < 4; ++k) {
#pragma unroll
      for (int part = 0; part < Block::kParts; ++part) {
        wgmma<T, Block::kColumns>(sums[part], weights[part][k], sixteen_inputs_on(pixels, k));
      }
    }
    wgmma_commit();
    wgmma_wait<1>();
    release(previous_);
    expand_all<(kStep + 1) % kBlockSteps>(words, later);
    previous_ = place_.stage;
    place_.template advance<Block>();
  }

  // This warp is done with a stage.
  __device__ __forceinline__ void release(int stage) const {
    if (stage >= 0 && lane_ == 0) barrier_arrive(shared_.empty(stage));
  }

  WgmmaShared<Block> shared_;
  const WgmmaPlan& plan_;
  const uint4* bits_;
  int blocks_, warpgroup_, lane_, warp_;
  RingPlace place_;
  int previous_ = -1;  // stage whose products may be under way
};

}  // namespace tbn::cuda
