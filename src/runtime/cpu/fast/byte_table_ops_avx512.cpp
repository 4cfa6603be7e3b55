// AVX-512 with bytes and words: a table of 64 sums of 16 bits lies in two registers, and one
// vpermt2w looks 32 rows up in it. A word holds two patterns of 6 bits; the instruction reads the
// lowest 6 bits of each lane, so that a shift brings the second.
#if defined(__x86_64__)

#include <immintrin.h>

#include "runtime/cpu/fast/isa.h"
#include "runtime/cpu/fast/unrolled.h"

namespace tbn::fast {
namespace {

constexpr int kBits = 6;
constexpr int kRows = 32;
constexpr std::int64_t kTable = 64;
constexpr std::int64_t kCentre = 128;
// Patterns whose sums fit 16 bits: each is at most 6 * 128.
constexpr std::int64_t kRun = 42;
constexpr std::int64_t kBlocks = 4;  // of rows that are summed at once

// The signs of inputs `First` and `First` + 1 in the patterns from `From` on; and what turns inputs
// of 0..255 into -128..127, the sum of all signs times -128.
template <int First, int From>
struct TwoSigns {
  alignas(64) std::int8_t of[64] = {};
  constexpr TwoSigns() {
    for (int i = 0; i < 64; ++i) of[i] = (((i / 2 + From) >> (First + i % 2)) & 1) != 0 ? 1 : -1;
  }
};
template <int From>
struct Centring {
  alignas(64) std::int16_t of[32] = {};
  constexpr Centring() {
    for (int i = 0; i < 32; ++i) {
      int sum = 0;
      for (int k = 0; k < kBits; ++k) sum += (((i + From) >> k) & 1) != 0 ? 1 : -1;
      of[i] = static_cast<std::int16_t>(-kCentre * sum);
    }
  }
};

template <class Constant>
__m512i constant() {
  static constexpr Constant kValue;
  return _mm512_load_si512(kValue.of);
}

void build(const std::uint8_t* bytes, std::int64_t count, std::int16_t* tables) {
  const __m512i s01 = constant<TwoSigns<0, 0>>(), s23 = constant<TwoSigns<2, 0>>();
  const __m512i s45_low = constant<TwoSigns<4, 0>>(), s45_high = constant<TwoSigns<4, 32>>();
  const __m512i low_centre = constant<Centring<0>>(), high_centre = constant<Centring<32>>();
  const auto two = [](const std::uint8_t* at) {
    std::int16_t both;
    __builtin_memcpy(&both, at, 2);
    return _mm512_set1_epi16(both);
  };
  const auto table = [&](const std::uint8_t* six) {
    const __m512i x45 = two(six + 4);
    const __m512i four = _mm512_add_epi16(_mm512_maddubs_epi16(two(six), s01),
                                          _mm512_maddubs_epi16(two(six + 2), s23));
    const __m512i low = _mm512_add_epi16(_mm512_maddubs_epi16(x45, s45_low), low_centre);
    const __m512i high = _mm512_add_epi16(_mm512_maddubs_epi16(x45, s45_high), high_centre);
    _mm512_storeu_si512(tables, _mm512_add_epi16(four, low));
    _mm512_storeu_si512(tables + 32, _mm512_add_epi16(four, high));
    tables += kTable;
  };
  for (; count >= kBits; count -= kBits, bytes += kBits) table(bytes);
  if (count == 0) return;
  std::uint8_t rest[kBits];
  for (int k = 0; k < kBits; ++k) rest[k] = k < count ? bytes[k] : kCentre;
  table(rest);
}

// sum + table[word]. In this order and no other: left to itself, the compiler looks up first and
// adds later, and spills what waits.
[[gnu::always_inline]] inline __m512i look_up(__m512i sum, __m512i low, __m512i high,
                                              __m512i word) {
  __m512i found = low;
  asm volatile("vpermt2w %[high], %[word], %[found]\n\tvpaddw %[found], %[sum], %[sum]"
               : [sum] "+v"(sum), [found] "+v"(found)
               : [high] "v"(high), [word] "v"(word));
  return sum;
}

// Sums of N blocks of rows and P pixels, of `patterns` from `first` on, added to the 32-bit ones
// at `sums`. `words` are those of the blocks.
template <int N, int P>
void add_run(const ByteTableWords& weights, const std::uint16_t* words, std::int64_t first,
             std::int64_t patterns, const std::int16_t* base, const std::int64_t* at,
             std::int32_t* sums, std::int64_t stride) {
  words += first / 2 * N * kRows;
  const std::int32_t* offset = weights.offsets + first;
  const std::int16_t* pixel[P];
  __m512i sum[P][N], word[N];
  unrolled<P>([&](auto j) {
    pixel[j] = base + at[j];
    unrolled<N>([&](auto i) { sum[j][i] = _mm512_setzero_si512(); });
  });
  const auto load = [&] {
    unrolled<N>([&](auto i) { word[i] = _mm512_loadu_si512(words + kRows * i); });
    words += N * kRows;
  };
  const auto add_pattern = [&] {
    unrolled<P>([&](auto j) {
      const std::int16_t* table = pixel[j] + *offset;
      const __m512i low = _mm512_loadu_si512(table), high = _mm512_loadu_si512(table + 32);
      unrolled<N>([&](auto i) { sum[j][i] = look_up(sum[j][i], low, high, word[i]); });
    });
    ++offset;
  };
  for (; patterns >= 2; patterns -= 2) {
    load();
    add_pattern();
    unrolled<N>([&](auto i) { word[i] = _mm512_srli_epi16(word[i], kBits); });
    add_pattern();
  }
  if (patterns > 0) {
    load();
    add_pattern();
  }
  unrolled<P>([&](auto j) {
    unrolled<N>([&](auto i) {
      std::int32_t* to = sums + j * stride + kRows * i;
      __m512i even = _mm512_srai_epi32(_mm512_slli_epi32(sum[j][i], 16), 16);
      __m512i odd = _mm512_srai_epi32(sum[j][i], 16);
      if (first > 0) {
        even = _mm512_add_epi32(even, _mm512_loadu_si512(to));
        odd = _mm512_add_epi32(odd, _mm512_loadu_si512(to + 16));
      }
      _mm512_storeu_si512(to, even);
      _mm512_storeu_si512(to + 16, odd);
    });
  });
}

// The same for all blocks, four at a time: the tables of a run are small enough to stay near while
// all rows are looked up in them.
template <int P>
void add_pixels(const ByteTableWords& weights, const std::int16_t* base, const std::int64_t* at,
                std::int32_t* sums, std::int64_t stride) {
  const std::int64_t words_per_block = (weights.patterns + 1) / 2 * kRows;
  for (std::int64_t first = 0; first < weights.patterns; first += kRun) {
    const std::int64_t left = weights.patterns - first;
    for (std::int64_t block = 0; block < weights.blocks; block += kBlocks) {
      const std::int64_t blocks = weights.blocks - block;
      const auto add = blocks >= 4   ? add_run<4, P>
                       : blocks == 3 ? add_run<3, P>
                       : blocks == 2 ? add_run<2, P>
                                     : add_run<1, P>;
      add(weights, weights.words + block * words_per_block, first, left < kRun ? left : kRun, base,
          at, sums + block * kRows, stride);
    }
  }
}

// 32-bit sums become what they stand for.
void scale(const ByteTableWords& weights, Quantum quantum, float* sums) {
  const __m512i shift = _mm512_set1_epi32(static_cast<std::int32_t>(kCentre) - quantum.zero);
  const __m512 factor = _mm512_set1_ps(quantum.scale);
  for (std::int64_t r = 0; r < weights.blocks * kRows; r += 16) {
    const __m512i totals = _mm512_loadu_si512(weights.totals + r);
    const __m512i whole =
        _mm512_add_epi32(_mm512_loadu_si512(sums + r), _mm512_mullo_epi32(shift, totals));
    _mm512_storeu_ps(sums + r, _mm512_mul_ps(_mm512_cvtepi32_ps(whole), factor));
  }
}

void add(const ByteTableWords& weights, const std::int16_t* base, Places places,
         const Quantum* quanta, std::int64_t quantum_step, float* sums, std::int64_t stride) {
  auto* whole = reinterpret_cast<std::int32_t*>(sums);
  const auto part = [&]<int P>(std::int64_t i) {
    add_pixels<P>(weights, base, places.at + i, whole + i * stride, stride);
    return i + P;
  };
  std::int64_t i = 0;
  if (weights.blocks <= 2) {  // registers are left for more pixels
    while (i + 8 <= places.count) i = part.template operator()<8>(i);
  }
  while (i + 4 <= places.count) i = part.template operator()<4>(i);
  while (i < places.count) i = part.template operator()<1>(i);
  for (i = 0; i < places.count; ++i) scale(weights, quanta[i * quantum_step], sums + i * stride);
}

}  // namespace

const ByteTableOps kByteTablesAvx512 = {.bits = kBits,
                                        .patterns_per_word = 2,
                                        .rows = kRows,
                                        .blocks_at_once = kBlocks,
                                        .table = kTable,
                                        .build = build,
                                        .add = add};

}  // namespace tbn::fast

#endif
