// The one hot loop of the reference backend.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

namespace tbn::reference {

// sums[i] = sum over k of factors[k] * source[offset(k) + i] for i in [0, count): for a convolution
// the factors are weights and the source is shifted maps; for a linear layer the factors are inputs
// and the source is transposed weights; for a product of matrices a row and the rows of the other.
// Four terms a pass keep the sums in registers longer, and the inner loop is contiguous, so that
// compilers vectorise it. Nothing may overlap `sums`.
template <class Offset>
void accumulate_at(std::span<const float> factors, Offset offset, const float* source,
                   float* __restrict sums, std::int64_t count) {
  std::fill_n(sums, count, 0.0f);
  const auto terms = static_cast<std::int64_t>(factors.size());
  const float* f = factors.data();
  std::int64_t k = 0;
  for (; k + 4 <= terms; k += 4) {
    const float* __restrict a = source + offset(k);
    const float* __restrict b = source + offset(k + 1);
    const float* __restrict c = source + offset(k + 2);
    const float* __restrict d = source + offset(k + 3);
    const float fa = f[k], fb = f[k + 1], fc = f[k + 2], fd = f[k + 3];
    for (std::int64_t i = 0; i < count; ++i) {
      sums[i] += (fa * a[i] + fb * b[i]) + (fc * c[i] + fd * d[i]);
    }
  }
  for (; k < terms; ++k) {
    const float* __restrict a = source + offset(k);
    for (std::int64_t i = 0; i < count; ++i) sums[i] += f[k] * a[i];
  }
}

// With the offsets in a list.
inline void accumulate(std::span<const float> factors, const std::int64_t* offsets,
                       const float* source, float* __restrict sums, std::int64_t count) {
  accumulate_at(
      factors, [=](std::int64_t k) { return offsets[k]; }, source, sums, count);
}

// Term k is row k of a matrix with `count` columns: sums = factors * source.
inline void accumulate_rows(std::span<const float> factors, const float* source,
                            float* __restrict sums, std::int64_t count) {
  accumulate_at(
      factors, [=](std::int64_t k) { return k * count; }, source, sums, count);
}

}  // namespace tbn::reference
