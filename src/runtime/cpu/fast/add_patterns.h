// The loop over patterns that every instruction set runs, on registers of its own. Of internal
// linkage on purpose: each file keeps the copy that its own compiler flags made (see isa.h).
#pragma once

#include "runtime/cpu/fast/isa.h"
#include "runtime/cpu/fast/unrolled.h"

namespace tbn::fast {
namespace {

// sums of N registers of rows and P pixels. Unit says what one is: Sums and Words are registers of
// kWidth floats and words; a word holds kPatterns patterns of kBits bits. `words` of one register
// are kWidth apart, those of the next patterns `word_stride`.
template <class Unit, int N, int P>
void add_patterns(const SignWords& weights, const std::uint32_t* words, std::int64_t word_stride,
                  const float* base, const std::int64_t* at, float* sums, std::int64_t stride) {
  const std::int32_t* offset = weights.offsets;
  const float* pixel[P];
  typename Unit::Sums sum[P][N];
  typename Unit::Words word[N];
  unrolled<P>([&](auto j) {
    pixel[j] = base + at[j];
    unrolled<N>([&](auto i) { sum[j][i] = Unit::zero(); });
  });
  const auto load = [&] {
    unrolled<N>([&](auto i) { word[i] = Unit::load(words + Unit::kWidth * i); });
    words += word_stride;
  };
  const auto look_up = [&] {
    unrolled<P>([&](auto j) {
      const typename Unit::Table table = Unit::table(pixel[j] + *offset);
      unrolled<N>([&](auto i) { sum[j][i] = Unit::add(sum[j][i], table, word[i]); });
    });
    ++offset;
  };
  // To the pattern after pattern p.
  const auto shift = [&](auto p) {
    unrolled<N>([&](auto i) {
      if constexpr (requires { Unit::next(word[i], words, p); }) {
        word[i] = Unit::next(word[i], words - word_stride + Unit::kWidth * i, p);
      } else {
        word[i] = Unit::next(word[i]);
      }
    });
  };
  std::int64_t left = weights.patterns;
  for (; left >= Unit::kPatterns; left -= Unit::kPatterns) {
    load();
    unrolled<Unit::kPatterns - 1>([&](auto p) {
      look_up();
      shift(p);
    });
    look_up();
  }
  if (left > 0) {
    load();
    unrolled<Unit::kPatterns - 1>([&](auto p) {
      if (p >= left) return;
      look_up();
      shift(p);
    });
  }
  unrolled<P>([&](auto j) {
    unrolled<N>([&](auto i) { Unit::store(sums + j * stride + Unit::kWidth * i, sum[j][i]); });
  });
}

// The same for all pixels, P at a time and the last ones by themselves.
template <class Unit, int N, int P>
void add_pixels(const SignWords& weights, const std::uint32_t* words, std::int64_t word_stride,
                const float* base, Places places, float* sums, std::int64_t stride) {
  std::int64_t i = 0;
  for (; i + P <= places.count; i += P) {
    add_patterns<Unit, N, P>(weights, words, word_stride, base, places.at + i, sums + i * stride,
                             stride);
  }
  for (; i < places.count; ++i) {
    add_patterns<Unit, N, 1>(weights, words, word_stride, base, places.at + i, sums + i * stride,
                             stride);
  }
}

}  // namespace
}  // namespace tbn::fast
