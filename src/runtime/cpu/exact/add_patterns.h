// The loop over patterns that every instruction set runs, on registers of its own. Of internal
// linkage on purpose: each file keeps the copy that its own compiler flags made (see isa.h).
#pragma once

#include "runtime/cpu/exact/isa.h"

namespace tbn::exact {
namespace {

// sums[r] for N registers of rows. Unit says what one is: Sums and Words are registers of kWidth
// floats and words; a word holds kPatterns patterns of kBits bits.
template <class Unit, int N>
void add_patterns(const SignWords& weights, const std::uint32_t* words, std::int64_t word_stride,
                  const float* base, float* sums) {
  const std::int32_t* offset = weights.offsets;
  typename Unit::Sums sum[N];
  typename Unit::Words word[N];
#pragma GCC unroll 8
  for (int i = 0; i < N; ++i) sum[i] = Unit::zero();
  const auto load = [&] {
#pragma GCC unroll 8
    for (int i = 0; i < N; ++i) word[i] = Unit::load(words + Unit::kWidth * i);
    words += word_stride;
  };
  const auto look_up = [&] {
    const typename Unit::Table table = Unit::table(base + *offset++);
#pragma GCC unroll 8
    for (int i = 0; i < N; ++i) sum[i] = Unit::add(sum[i], table, word[i]);
  };
  const auto shift = [&] {
#pragma GCC unroll 8
    for (int i = 0; i < N; ++i) word[i] = Unit::next(word[i]);
  };
  std::int64_t left = weights.patterns;
  for (; left >= Unit::kPatterns; left -= Unit::kPatterns) {
    load();
#pragma GCC unroll 10
    for (int p = 0; p < Unit::kPatterns - 1; ++p) {
      look_up();
      shift();
    }
    look_up();
  }
  if (left > 0) {
    load();
    for (; left > 0; --left) {
      look_up();
      shift();
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < N; ++i) Unit::store(sums + Unit::kWidth * i, sum[i]);
}

}  // namespace
}  // namespace tbn::exact
