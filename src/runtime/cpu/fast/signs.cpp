// Packs the patterns.
#include "runtime/cpu/fast/signs.h"

#include <algorithm>

namespace tbn::fast {

namespace {

// The first bit of a pattern in its word.
std::int64_t first_bit(const SignOps& ops, std::int64_t pattern) {
  const bool second = ops.patterns_per_half > 0 && pattern >= ops.patterns_per_half;
  return second ? 16 + (pattern - ops.patterns_per_half) * ops.bits : pattern * ops.bits;
}

void pack(const Signs& signs, std::int64_t taps, std::int64_t run, const DenseRows& rows,
          std::uint32_t* to) {
  const SignOps& ops = *signs.ops;
  const std::int64_t words = signs.words_per_row();
  for (std::int64_t r = 0; r < signs.rows; ++r) {
    const std::span<const float> row = rows.row(r);
    const std::int64_t block = r / kLanes;
    const std::int64_t first = block / kGroupBlocks * kGroupBlocks;  // of its group
    const std::int64_t in_group = std::min<std::int64_t>(kGroupBlocks, signs.blocks() - first);
    const auto word_at = [&](std::int64_t word) -> std::uint32_t& {
      const std::int64_t place = first * words + word * in_group + (block - first);
      return to[place * kLanes + r % kLanes];
    };
    std::int64_t word = 0, in_word = 0;  // of the next pattern
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      for (std::int64_t k = 0; k < run; k += ops.bits) {
        const float* first_weight = row.data() + k * taps + tap;
        word_at(word) |= pattern_of(first_weight, std::min<std::int64_t>(ops.bits, run - k), taps)
                         << first_bit(ops, in_word);  // NOLINT(clang-analyzer-core.BitwiseShift)
        if (++in_word < ops.patterns_per_word) continue;
        in_word = 0;
        ++word;
      }
    }
  }
}

}  // namespace

Signs prepare(const SignOps& ops, const LayerWeights& weights, std::int64_t run,
              std::span<const std::int64_t> tap_offsets) {
  const std::int64_t groups = groups_of(ops, run);
  const auto taps = static_cast<std::int64_t>(tap_offsets.size());
  Signs signs{.ops = &ops, .rows = weights.rows(), .patterns = taps * groups};
  for (const std::int64_t tap : tap_offsets) {
    for (std::int64_t g = 0; g < groups; ++g) {
      signs.offsets.push_back(static_cast<std::int32_t>(tap + g * ops.table));
    }
  }
  const std::int64_t words = signs.blocks() * kLanes * signs.words_per_row();
  signs.words =
      weights.in(layout_name("signs", {1, ops.bits, ops.patterns_per_word, ops.patterns_per_half}),
                 words * static_cast<std::int64_t>(sizeof(std::uint32_t)),
                 [&](const DenseRows& rows, std::byte* to) {
                   pack(signs, taps, run, rows, reinterpret_cast<std::uint32_t*>(to));
                 });
  return signs;
}

}  // namespace tbn::fast
