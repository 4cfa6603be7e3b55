// AVX-512: a table of 32 sums lies in two registers, and one vpermt2ps looks 16 rows up in it. A
// word holds six patterns of 5 bits, three in each half; the instruction reads the lowest 5 bits of
// each lane, so that a shift brings the next.
#if defined(__x86_64__)

#include <immintrin.h>

#include "runtime/cpu/fast/add_patterns.h"

namespace tbn::fast {
namespace {

constexpr int kBits = 5;

// The sign of input K in each pattern.
template <int K>
struct SignsOf {
  alignas(64) float of[16] = {};
  constexpr SignsOf() {
    for (int i = 0; i < 16; ++i) of[i] = ((i >> K) & 1) != 0 ? 1.0f : -1.0f;
  }
};
template <int K>
__m512 signs() {
  static constexpr SignsOf<K> kSigns;
  return _mm512_load_ps(kSigns.of);
}

void build(const float* x, std::int64_t count, float* tables) {
  const __m512 s0 = signs<0>(), s1 = signs<1>(), s2 = signs<2>(), s3 = signs<3>();
  const auto table = [&](const float* five) {
    __m512 sum = _mm512_mul_ps(_mm512_set1_ps(five[0]), s0);
    sum = _mm512_fmadd_ps(_mm512_set1_ps(five[1]), s1, sum);
    __m512 other = _mm512_mul_ps(_mm512_set1_ps(five[2]), s2);
    other = _mm512_fmadd_ps(_mm512_set1_ps(five[3]), s3, other);
    sum = _mm512_add_ps(sum, other);
    const __m512 last = _mm512_set1_ps(five[4]);
    _mm512_storeu_ps(tables, _mm512_sub_ps(sum, last));
    _mm512_storeu_ps(tables + 16, _mm512_add_ps(sum, last));
    tables += 32;
  };
  for (; count >= kBits; count -= kBits, x += kBits) table(x);
  if (count == 0) return;
  float rest[kBits] = {};
  for (std::int64_t k = 0; k < count; ++k) rest[k] = x[k];
  table(rest);
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
  // Three patterns lie in each half of a word, where a multiplication shifts them, in units that
  // the look-ups do not need.
  template <int P>
  static Words next(Words word, const std::uint32_t* words, Index<P>) {
    if constexpr (P == kPatterns / 2 - 1) return _mm512_srli_epi32(load(words), 16);
    return _mm512_mulhi_epu16(word, _mm512_set1_epi16(1 << (16 - kBits)));
  }
  static Table table(const float* at) { return {_mm512_loadu_ps(at), _mm512_loadu_ps(at + 16)}; }
  // In this order and no other: left to itself, the compiler looks up first and adds later, and
  // spills what waits.
  static Sums add(Sums sum, const Table& table, Words word) {
    __m512 found = table.low;
    asm volatile("vpermt2ps %[high], %[word], %[found]\n\tvaddps %[found], %[sum], %[sum]"
                 : [sum] "+v"(sum), [found] "+v"(found)
                 : [high] "v"(table.high), [word] "v"(word));
    return sum;
  }
  static void store(float* at, Sums sum) { _mm512_storeu_ps(at, sum); }
};

void add(const SignWords& weights, const float* base, Places places, float* sums,
         std::int64_t stride) {
  using Group = void (*)(const SignWords&, const std::uint32_t*, std::int64_t, const float*, Places,
                         float*, std::int64_t);
  // Few blocks leave registers for more pixels, and their sums take turns in the adders.
  static constexpr Group kGroups[] = {add_pixels<Unit, 1, 8>, add_pixels<Unit, 2, 4>,
                                      add_pixels<Unit, 3, 2>, add_pixels<Unit, 4, 2>,
                                      add_pixels<Unit, 5, 1>, add_pixels<Unit, 6, 1>,
                                      add_pixels<Unit, 7, 1>, add_pixels<Unit, 8, 1>};
  for (std::int64_t block = 0; block < weights.blocks; block += kGroupBlocks) {
    const std::int64_t left = weights.blocks - block;
    const std::int64_t blocks = left < kGroupBlocks ? left : kGroupBlocks;
    kGroups[blocks - 1](weights, weights.words + block * weights.words_per_row * kLanes,
                        blocks * kLanes, base, places, sums + block * kLanes, stride);
  }
}

}  // namespace

const SignOps kSignsAvx512 = {.bits = kBits,
                              .patterns_per_word = Unit::kPatterns,
                              .table = 32,
                              .build = build,
                              .add = add,
                              .patterns_per_half = Unit::kPatterns / 2};

}  // namespace tbn::fast

#endif
