// Sums of inputs under signs by table look-ups: u[r] = sum_k t[r, k] x[k] with t of +1 and -1.
//
// The inputs are taken in groups of `bits`. A table holds the sums of a group under each of the
// 2^bits patterns of signs, and a look-up adds one of them to the sum of a row: 16 rows and 5
// inputs per instruction with AVX-512, 8 rows and 3 inputs with AVX2. Values are rounded as in any
// other float summation; no weight is.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/cpu/fast/isa.h"
#include "runtime/cpu/fast/weights.h"

namespace tbn::fast {

// Rows of signs, prepared. The inputs of a row are `taps` runs of `run` inputs, each in groups of
// its own, so that a run's tables can be shared by rows at different places (convolutions).
struct Signs {
  const SignOps* ops = nullptr;
  std::int64_t rows = 0;
  std::int64_t patterns = 0;          // of a row
  std::vector<std::int32_t> offsets;  // [patterns], floats from a pixel to the pattern's table
  // 32-bit words [block group][word][block][lane]: blocks of 16 rows in groups of 8 (the last may
  // be smaller); patterns lie in a word one after another, or in each of its halves
  // (SignOps::patterns_per_half).
  HostTensor words;

  std::int64_t blocks() const { return (rows + kLanes - 1) / kLanes; }
  std::int64_t words_per_row() const {
    return (patterns + ops->patterns_per_word - 1) / ops->patterns_per_word;
  }
  // Eight blocks, or the last ones.
  SignWords group(std::int64_t g) const {
    const std::int64_t first = g * kGroupBlocks;
    const std::int64_t left = blocks() - first;
    return {values_of<std::uint32_t>(words) + first * words_per_row() * kLanes, offsets.data(),
            patterns, words_per_row(), left < kGroupBlocks ? left : kGroupBlocks};
  }
};

// The signs of `count` weights of a row, `step` apart: bit j is 1 where weight j is above 0.
inline std::uint32_t pattern_of(const float* weights, std::int64_t count, std::int64_t step) {
  std::uint32_t bits = 0;
  for (std::int64_t j = 0; j < count; ++j) {
    bits |= static_cast<std::uint32_t>(weights[j * step] > 0) << j;
  }
  return bits;
}

// Groups of a run of inputs.
inline std::int64_t groups_of(const SignOps& ops, std::int64_t run) {
  return (run + ops.bits - 1) / ops.bits;
}

// `tap_offsets` says how many floats after the base the tables of each tap begin; weight k of a tap
// is weight k * taps + tap of its row.
Signs prepare(const SignOps& ops, const LayerWeights& weights, std::int64_t run,
              std::span<const std::int64_t> tap_offsets);

}  // namespace tbn::fast
