// AVX-512: a table of 32 sums lies in two registers, and one vpermt2ps looks 16 rows up in it. A
// word holds six patterns of 5 bits; the instruction reads the lowest 5 bits of each lane, so that
// a shift brings the next.
#if defined(__x86_64__)

#include <immintrin.h>

#include "runtime/cpu/exact/add_patterns.h"

namespace tbn::exact {
namespace {

std::int64_t smaller(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

constexpr int kBits = 5;

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

struct Unit {
  static constexpr int kWidth = 16;
  static constexpr int kPatterns = 30 / kBits;
  using Sums = __m512;
  using Words = __m512i;
  struct Table {
    __m512 low, high;
  };
  static Sums zero() { return _mm512_setzero_ps(); }
  static Words load(const std::uint32_t* words) { return _mm512_loadu_si512(words); }
  static Words next(Words word) { return _mm512_srli_epi32(word, kBits); }
  static Table table(const float* at) { return {_mm512_loadu_ps(at), _mm512_loadu_ps(at + 16)}; }
  static Sums add(Sums sum, const Table& table, Words word) {
    return _mm512_add_ps(sum, _mm512_permutex2var_ps(table.low, word, table.high));
  }
  static void store(float* at, Sums sum) { _mm512_storeu_ps(at, sum); }
};

void add(const SignWords& weights, const float* base, float* sums) {
  using Group =
      void (*)(const SignWords&, const std::uint32_t*, std::int64_t, const float*, float*);
  static constexpr Group kGroups[] = {
      add_patterns<Unit, 1>, add_patterns<Unit, 2>, add_patterns<Unit, 3>, add_patterns<Unit, 4>,
      add_patterns<Unit, 5>, add_patterns<Unit, 6>, add_patterns<Unit, 7>, add_patterns<Unit, 8>};
  const std::int64_t words = weights.words_a_row;
  for (std::int64_t block = 0; block < weights.blocks; block += kGroupBlocks) {
    const std::int64_t blocks = smaller(kGroupBlocks, weights.blocks - block);
    kGroups[blocks - 1](weights, weights.words + block * words * kLanes, blocks * kLanes, base,
                        sums + block * kLanes);
  }
}

}  // namespace

const Isa kAvx512 = {.name = "avx512",
                     .bits = kBits,
                     .patterns_a_word = Unit::kPatterns,
                     .table = 32,
                     .build = build,
                     .add = add};

}  // namespace tbn::exact

#endif
