// Packs the patterns, and asks the processor what it can.
#include "runtime/cpu/exact/sign_sums.h"

#include <algorithm>

namespace tbn::exact {

std::vector<const Isa*> usable_isas() {
  std::vector<const Isa*> isas;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) isas.push_back(&kAvx512);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) isas.push_back(&kAvx2);
#endif
  return isas;
}

const Isa* best_isa() {
  static const std::vector<const Isa*> isas = usable_isas();
  return isas.empty() ? nullptr : isas.front();
}

SignSums prepare(const Isa& isa, std::int64_t rows, std::int64_t run,
                 std::span<const std::int64_t> tap_offsets,
                 const std::function<bool(std::int64_t, std::int64_t, std::int64_t)>& positive) {
  const std::int64_t groups = groups_of(isa, run);
  const auto taps = static_cast<std::int64_t>(tap_offsets.size());
  SignSums sums{.isa = &isa, .rows = rows, .patterns = taps * groups};
  for (const std::int64_t tap : tap_offsets) {
    for (std::int64_t g = 0; g < groups; ++g) {
      sums.offsets.push_back(static_cast<std::int32_t>(tap + g * isa.table));
    }
  }
  const std::int64_t words = sums.words_a_row();
  sums.words.assign(static_cast<std::size_t>(sums.blocks() * words * kLanes), 0);
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t block = r / kLanes;
    const std::int64_t first = block / kGroupBlocks * kGroupBlocks;  // of its group
    const std::int64_t in_group = std::min<std::int64_t>(kGroupBlocks, sums.blocks() - first);
    const auto word_at = [&](std::int64_t word) -> std::uint32_t& {
      const std::int64_t place = first * words + word * in_group + (block - first);
      return sums.words[static_cast<std::size_t>(place * kLanes + r % kLanes)];
    };
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      for (std::int64_t k = 0; k < run; ++k) {
        if (!positive(r, tap, k)) continue;
        const std::int64_t pattern = tap * groups + k / isa.bits;
        const std::int64_t bit = pattern % isa.patterns_a_word * isa.bits + k % isa.bits;
        word_at(pattern / isa.patterns_a_word) |= std::uint32_t{1} << bit;
      }
    }
  }
  return sums;
}

}  // namespace tbn::exact
