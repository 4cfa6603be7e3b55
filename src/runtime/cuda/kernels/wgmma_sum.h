// Sums of the kernel "wgmma": a warpgroup multiplies its rows' bits, made numbers in registers, by
// the activations in the ring.
#pragma once

#include <type_traits>
#include <utility>

#include "runtime/cuda/kernels/wgmma_block.h"

namespace tbn::cuda {

// Operand A of product kProduct of the 16 of a block of 256 inputs, whose bits are `words`: bit b
// of a word, and bit b + 16, go to the signs of two numbers, -1 where they are 0 (see
// tile_order.h).
template <class T, int kProduct>
__device__ __forceinline__ void expand(const uint4& words, unsigned (&weights)[4]) {
  constexpr unsigned kMinusOnes = std::is_same_v<T, __half> ? 0xBC00BC00u : 0xBF80BF80u;
  const unsigned rows[2] = {kProduct < 8 ? words.x : words.z, kProduct < 8 ? words.y : words.w};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int bit = 2 * (kProduct % 8) + i / 2;
    weights[i] = and_xor(rows[i % 2] << (15 - bit), 0x80008000u, kMinusOnes);
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
    Words words, next;
    Weights weights[2];
    load(row, block, words);
    load(row, block + 1, next);
    expand_group<0>(words, weights[0]);
    zero(sums);
    first_ = true;
    // Weights of the next products are made while the units multiply by those of these.
    for (; block < whole; ++block) {
      step<0>(sums, weights, words);
      step<1>(sums, weights, words);
      step<2>(sums, weights, words);
      step<3>(sums, weights, words, next);
#pragma unroll
      for (int part = 0; part < Block::kParts; ++part) words[part] = next[part];
      load(row, block + 2, next);
    }
    if (rest > 0) step<0>(sums, weights, words);
    if (rest > 1) step<1>(sums, weights, words);
    if (rest > 2) step<2>(sums, weights, words);
    wgmma_wait<0>();
    hold(sums);
    release();
  }

 private:
  // Groups of a step, and products of 64 rows of a group: fewer where 128 rows need registers.
  static constexpr int kGroups = Block::kParts, kProducts = 4 / kGroups;
  using Words = uint4[Block::kParts];
  using Weights = unsigned[Block::kParts][kProducts][4];

  // Bits of a block of 256 inputs, of this warp's 16 rows in each of its 64; of the last ones there
  // are where there are no more.
  __device__ __forceinline__ void load(int row, int block, Words& words) const {
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

  // Weights of a group of a block of 256 inputs.
  template <int kGroup>
  __device__ __forceinline__ static void expand_group(const Words& words, Weights& weights) {
#pragma unroll
    for (int part = 0; part < Block::kParts; ++part) {
      [&]<int... k>(std::integer_sequence<int, k...>) {
        (expand<T, kGroup * kProducts + k>(words[part], weights[part][k]), ...);
      }
      (std::make_integer_sequence<int, kProducts>());
    }
  }

  // Step kStep of a block; the one after it has its bits in `next`.
  template <int kStep>
  __device__ __forceinline__ void step(typename Block::Sums& sums, Weights (&weights)[2],
                                       const Words& words, const Words& next) {
    barrier_wait(shared_.full(place_.stage()), place_.parity());
    constexpr int kOthers = Block::kColumns * kStepInputs * 2;  // the other warpgroup's pixels
    const std::uint64_t pixels =
        matrix_at(shared_.stage(place_.stage()) + (Block::kBeside ? warpgroup_ * kOthers : 0));
    constexpr int kLast = kGroups - 1, kGroup = kStep * kGroups;
    multiply<0>(sums, weights[kGroup % 2], pixels);
    if (!first_) release();
    first_ = false;
    if constexpr (kLast > 0) {
      expand_group<kGroup + 1>(words, weights[(kGroup + 1) % 2]);
      multiply<kLast>(sums, weights[(kGroup + 1) % 2], pixels);
    }
    constexpr int kNext = (kGroup + kGroups) % (kBlockSteps * kGroups);
    expand_group<kNext>(next, weights[kNext % 2]);
    ++place_.passed;
  }
  template <int kStep>
  __device__ __forceinline__ void step(typename Block::Sums& sums, Weights (&weights)[2],
                                       const Words& words) {
    step<kStep>(sums, weights, words, words);
  }

  // Starts the products of a step's group, and waits for those of the group before: what they read
  // may be written again.
  template <int kGroup>
  __device__ __forceinline__ static void multiply(typename Block::Sums& sums,
                                                  const Weights& weights, std::uint64_t pixels) {
    wgmma_fence();
#pragma unroll
    for (int k = 0; k < kProducts; ++k) {
#pragma unroll
      for (int part = 0; part < Block::kParts; ++part) {
        wgmma<T, Block::kColumns>(sums[part], weights[part][k],
                                  sixteen_inputs_on(pixels, kGroup * kProducts + k));
      }
    }
    wgmma_commit();
    wgmma_wait<1>();
  }

  // This warp is done with the stage before the next.
  __device__ __forceinline__ void release() const {
    if (lane_ == 0) barrier_arrive(shared_.empty(place_.stage_before()));
  }

  WgmmaShared<Block> shared_;
  const WgmmaPlan& plan_;
  const uint4* bits_;
  int blocks_, warpgroup_, lane_, warp_;
  RingPlace<Block> place_;
  bool first_ = true;  // step of an item: no products are under way
};

}  // namespace tbn::cuda
