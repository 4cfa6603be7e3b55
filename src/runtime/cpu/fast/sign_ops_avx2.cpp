// AVX2: a table of 8 sums lies in one register, and one vpermps looks 8 rows up in it. A word holds
// ten patterns of 3 bits; the instruction reads the lowest 3 bits of each lane, so that a shift
// brings the next.
#if defined(__x86_64__)

#include <immintrin.h>

#include "runtime/cpu/fast/add_patterns.h"

namespace tbn::fast {
namespace {

constexpr int kBits = 3;

void build(const float* x, std::int64_t count, float* tables) {
  const __m256 s0 = _mm256_setr_ps(-1, 1, -1, 1, -1, 1, -1, 1);
  const __m256 s1 = _mm256_setr_ps(-1, -1, 1, 1, -1, -1, 1, 1);
  const __m256 s2 = _mm256_setr_ps(-1, -1, -1, -1, 1, 1, 1, 1);
  const auto table = [&](float a, float b, float c) {
    __m256 sum = _mm256_mul_ps(_mm256_set1_ps(a), s0);
    sum = _mm256_fmadd_ps(_mm256_set1_ps(b), s1, sum);
    sum = _mm256_fmadd_ps(_mm256_set1_ps(c), s2, sum);
    _mm256_storeu_ps(tables, sum);
    tables += 8;
  };
  for (; count >= kBits; count -= kBits, x += kBits) table(x[0], x[1], x[2]);
  if (count > 0) table(x[0], count > 1 ? x[1] : 0.0f, 0.0f);
}

struct Unit {
  static constexpr int kWidth = 8;
  static constexpr int kPatterns = 30 / kBits;
  using Sums = __m256;
  using Words = __m256i;
  using Table = __m256;
  static Sums zero() { return _mm256_setzero_ps(); }
  static Words load(const std::uint32_t* words) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(words));
  }
  static Words next(Words word) { return _mm256_srli_epi32(word, kBits); }
  static Table table(const float* at) { return _mm256_loadu_ps(at); }
  static Sums add(Sums sum, Table table, Words word) {
    return _mm256_add_ps(sum, _mm256_permutevar8x32_ps(table, word));
  }
  static void store(float* at, Sums sum) { _mm256_storeu_ps(at, sum); }
};

void add(const SignWords& weights, const float* base, Places places, float* sums,
         std::int64_t stride) {
  const std::int64_t words = weights.words_per_row;
  for (std::int64_t first = 0; first < weights.blocks; first += kGroupBlocks) {
    const std::int64_t left = weights.blocks - first;
    const std::int64_t blocks = left < kGroupBlocks ? left : kGroupBlocks;
    const std::uint32_t* group = weights.words + first * words * kLanes;
    for (std::int64_t b = 0; b < blocks; b += 2) {  // 16 registers hold the work of two blocks
      const auto part = b + 1 < blocks ? add_pixels<Unit, 4, 1> : add_pixels<Unit, 2, 3>;
      part(weights, group + b * kLanes, blocks * kLanes, base, places, sums + (first + b) * kLanes,
           stride);
    }
  }
}

}  // namespace

const SignOps kSignsAvx2 = {
    .bits = kBits, .patterns_per_word = Unit::kPatterns, .table = 8, .build = build, .add = add};

}  // namespace tbn::fast

#endif
