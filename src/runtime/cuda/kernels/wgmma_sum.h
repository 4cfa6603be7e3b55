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

// What a warpgroup sums with. A group of products is what is waited for: kProducts times 16 inputs
// for each 64 of the warpgroup's rows.
template <class T, class Block, int kProducts>
class WgmmaWarpgroup {
 public:
  using Sums = typename Block::Sums;
  using Weights = unsigned[Block::kParts][kProducts][4];
  using Words = uint4[Block::kParts];

  __device__ WgmmaWarpgroup(const WgmmaShared<Block>& shared, const WgmmaPlan& plan,
                            const LayerData& data, int blocks, int warpgroup)
      : shared_(shared),
        plan_(plan),
        bits_(data.bits),
        blocks_(blocks),
        warpgroup_(warpgroup),
        lane_(static_cast<int>(threadIdx.x) % kWarp),
        warp_(static_cast<int>(threadIdx.x) % kWarpgroup / kWarp) {}

 protected:
  __device__ __forceinline__ int first_row(const WorkItem& work) const {
    return work.row_tile * Block::kRows + (Block::kBeside ? 0 : warpgroup_ * 64 * Block::kParts);
  }

  // This lane's four words of a block of 256 inputs, of this warp's 16 of 64 rows. Where there are
  // no such rows or inputs, those of the last ones there are.
  __device__ __forceinline__ const std::uint32_t* words_at(int row, int block) const {
    const int inside = block < blocks_ ? block : blocks_ - 1;
    const int wanted = row / kBlockRows + warp_;
    const int row_block = wanted < plan_.row_blocks ? wanted : plan_.row_blocks - 1;
    return bits_ + (std::int64_t{row_block} * blocks_ + inside) * kBlockWords + lane_ * 4;
  }

  __device__ __forceinline__ static void zero(Sums& sums) {
#pragma unroll
    for (int part = 0; part < Block::kParts; ++part) {
#pragma unroll
      for (int i = 0; i < Block::kColumns / 2; ++i) sums[part][i] = 0;
    }
    hold(sums);
  }
  __device__ __forceinline__ static void hold(Sums& sums) {
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

  // The warpgroup's pixels of the next stage, from one of the tile's on.
  __device__ __forceinline__ std::uint64_t pixels(int first) const {
    constexpr int kPixelBytes = kStepInputs * 2;
    if (Block::kBeside) first += warpgroup_ * Block::kColumns;
    return matrix_at(shared_.stage(place_.stage()) + first * kPixelBytes);
  }

  // Starts the products of a step's group, and waits for those of the group before: what they read
  // may be written again.
  template <int kGroup>
  __device__ __forceinline__ static void multiply(Sums& sums, const Weights& weights,
                                                  std::uint64_t pixels) {
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

  __device__ __forceinline__ void wait_for_stage() const {
    barrier_wait(shared_.full(place_.stage()), place_.parity());
  }
  // This warp is done with the stage before the next.
  __device__ __forceinline__ void release() const {
    if (lane_ == 0) barrier_arrive(shared_.empty(place_.stage_before()));
  }

  WgmmaShared<Block> shared_;
  const WgmmaPlan& plan_;
  const std::uint32_t* bits_;
  int blocks_, warpgroup_, lane_, warp_;
  RingPlace<Block> place_;
  bool first_ = true;  // step of an item: no products are under way
};

// Products a group has, and groups per step: more where the weights of 128 rows need registers.
template <class Block>
inline constexpr int kGroupProducts = 4 / Block::kParts;

// Sums of windows tap by tap, and of linear layers: each stage is a step.
template <class T, class Block>
class WgmmaSummer : public WgmmaWarpgroup<T, Block, kGroupProducts<Block>> {
  using Base = WgmmaWarpgroup<T, Block, kGroupProducts<Block>>;
  using typename Base::Sums, typename Base::Weights, typename Base::Words;

 public:
  using Base::Base;

  // The warpgroup's sums of an item; advances in the ring by its steps.
  __device__ __forceinline__ void sum(const WorkItem& work, const LayerShape&, Sums& sums) {
    int block = work.first_step / kBlockSteps;
    const int whole = work.end_step / kBlockSteps, rest = work.end_step % kBlockSteps;
    const int row = this->first_row(work);
    Words words, next;
    Weights weights[2];
    load(row, block, words);
    load(row, block + 1, next);
    Base::template expand_group<0>(words, weights[0]);
    Base::zero(sums);
    this->first_ = true;
    // Weights of the next products are made while the units multiply by those of these.
    for (; block < whole; ++block) {
      step<0>(sums, weights, words, words);
      step<1>(sums, weights, words, words);
      step<2>(sums, weights, words, words);
      step<3>(sums, weights, words, next);
#pragma unroll
      for (int part = 0; part < Block::kParts; ++part) words[part] = next[part];
      load(row, block + 2, next);
    }
    if (rest > 0) step<0>(sums, weights, words, words);
    if (rest > 1) step<1>(sums, weights, words, words);
    if (rest > 2) step<2>(sums, weights, words, words);
    wgmma_wait<0>();
    Base::hold(sums);
    this->release();
  }

 private:
  static constexpr int kGroups = 4 / kGroupProducts<Block>;

  __device__ __forceinline__ void load(int row, int block, Words& words) const {
#pragma unroll
    for (int part = 0; part < Block::kParts; ++part) {
      const auto* from = this->words_at(row + 64 * part, block);
      words[part] = __ldg(reinterpret_cast<const uint4*>(from));
    }
  }

  // Step kStep of a block; the one after it has its bits in `next`.
  template <int kStep>
  __device__ __forceinline__ void step(Sums& sums, Weights (&weights)[2], const Words& words,
                                       const Words& next) {
    this->wait_for_stage();
    const std::uint64_t pixels = this->pixels(0);
    constexpr int kLast = kGroups - 1, kGroup = kStep * kGroups;
    Base::template multiply<0>(sums, weights[kGroup % 2], pixels);
    if (!this->first_) this->release();
    this->first_ = false;
    if constexpr (kLast > 0) {
      Base::template expand_group<kGroup + 1>(words, weights[(kGroup + 1) % 2]);
      Base::template multiply<kLast>(sums, weights[(kGroup + 1) % 2], pixels);
    }
    constexpr int kNext = (kGroup + kGroups) % (kBlockSteps * kGroups);
    Base::template expand_group<kNext>(next, weights[kNext % 2]);
    ++this->place_.passed;
  }
};

}  // namespace tbn::cuda
