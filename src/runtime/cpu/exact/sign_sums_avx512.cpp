// AVX-512: a table of 32 sums lies in two registers, and one vpermt2ps looks 16 rows up in it. A
// word holds six patterns of 5 bits; the instruction reads the lowest 5 bits of each lane, so that
// a shift brings the next.
#if defined(__x86_64__)

#include <immintrin.h>

#include "runtime/cpu/exact/isa.h"

namespace tbn::exact {
namespace {

std::int64_t smaller(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

constexpr int kBits = 5;
constexpr int kPatterns = 6;  // a word

// The sign of input k in pattern i.
__m512 signs(int k) {
  alignas(64) float of[16];
  for (int i = 0; i < 16; ++i) of[i] = ((i >> k) & 1) != 0 ? 1.0f : -1.0f;
  return _mm512_load_ps(of);
}

void build(const float* x, std::int64_t stride, std::int64_t count, float* tables) {
  const __m512 s0 = signs(0), s1 = signs(1), s2 = signs(2), s3 = signs(3);
  const auto table = [&](float a, float b, float c, float d, float e) {
    __m512 sum = _mm512_mul_ps(_mm512_set1_ps(a), s0);
    sum = _mm512_fmadd_ps(_mm512_set1_ps(b), s1, sum);
    __m512 other = _mm512_mul_ps(_mm512_set1_ps(c), s2);
    other = _mm512_fmadd_ps(_mm512_set1_ps(d), s3, other);
    sum = _mm512_add_ps(sum, other);
    const __m512 last = _mm512_set1_ps(e);
    _mm512_storeu_ps(tables, _mm512_sub_ps(sum, last));
    _mm512_storeu_ps(tables + 16, _mm512_add_ps(sum, last));
    tables += 32;
  };
  for (; count >= kBits; count -= kBits, x += kBits * stride) {
    table(x[0], x[stride], x[2 * stride], x[3 * stride], x[4 * stride]);
  }
  if (count == 0) return;
  float rest[kBits] = {};
  for (std::int64_t k = 0; k < count; ++k) rest[k] = x[k * stride];
  table(rest[0], rest[1], rest[2], rest[3], rest[4]);
}

// One group of N blocks of rows.
template <int N>
void add_group(const SignWords& weights, const std::uint32_t* words, const float* base,
               float* sums) {
  const std::int32_t* offset = weights.offsets;
  __m512 sum[N];
  __m512i word[N];
#pragma GCC unroll 8
  for (int i = 0; i < N; ++i) sum[i] = _mm512_setzero_ps();
  const auto look_up = [&] {
    const float* table = base + *offset++;
    const __m512 low = _mm512_loadu_ps(table), high = _mm512_loadu_ps(table + 16);
#pragma GCC unroll 8
    for (int i = 0; i < N; ++i) {
      sum[i] = _mm512_add_ps(sum[i], _mm512_permutex2var_ps(low, word[i], high));
    }
  };
  const auto load = [&] {
#pragma GCC unroll 8
    for (int i = 0; i < N; ++i) word[i] = _mm512_loadu_si512(words + kLanes * i);
    words += kLanes * N;
  };
  const auto shift = [&] {
#pragma GCC unroll 8
    for (int i = 0; i < N; ++i) word[i] = _mm512_srli_epi32(word[i], kBits);
  };
  std::int64_t left = weights.patterns;
  for (; left >= kPatterns; left -= kPatterns) {
    load();
#pragma GCC unroll 5
    for (int p = 0; p < kPatterns - 1; ++p) {
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
  for (int i = 0; i < N; ++i) _mm512_storeu_ps(sums + kLanes * i, sum[i]);
}

void add(const SignWords& weights, const float* base, float* sums) {
  using Group = void (*)(const SignWords&, const std::uint32_t*, const float*, float*);
  static constexpr Group kGroups[] = {add_group<1>, add_group<2>, add_group<3>, add_group<4>,
                                      add_group<5>, add_group<6>, add_group<7>, add_group<8>};
  const std::int64_t words = weights.words_a_row;
  for (std::int64_t block = 0; block < weights.blocks; block += kGroupBlocks) {
    const std::int64_t blocks = smaller(kGroupBlocks, weights.blocks - block);
    kGroups[blocks - 1](weights, weights.words + block * words * kLanes, base,
                        sums + block * kLanes);
  }
}

}  // namespace

const Isa kAvx512 = {.name = "avx512",
                     .bits = kBits,
                     .patterns_a_word = kPatterns,
                     .table = 32,
                     .build = build,
                     .add = add};

}  // namespace tbn::exact

#endif
