// AVX2: vpmaddubsw adds pairs of products of bytes, which signs keep within 16 bits, and vpmaddwd
// pairs of those.
#if defined(__x86_64__)

#include <immintrin.h>

#include "runtime/cpu/fast/byte_loops.h"

namespace tbn::fast {
namespace {

struct Unit : PlainUnit {
  static constexpr int kRows = 8;
  static constexpr int kVectors = 2;
  static constexpr int kRegisters = 8;  // of sums
  using Sums = __m256i;
  using Bytes = __m256i;
  static Sums zero() { return _mm256_setzero_si256(); }
  static __m256i load_any(const void* at) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(at));
  }
  static Bytes load(const std::int8_t* at) { return load_any(at); }
  static Bytes spread(const std::uint8_t* at) {
    std::int32_t four;
    __builtin_memcpy(&four, at, 4);
    return _mm256_set1_epi32(four);
  }
  static Sums add(Sums sum, Bytes inputs, Bytes signs) {
    const __m256i pairs = _mm256_maddubs_epi16(inputs, signs);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
  static void expand(const std::uint8_t* bits, std::int8_t* to) {
    std::int32_t word;
    __builtin_memcpy(&word, bits, 4);
    // Byte i of 32 gets byte i / 8 of the word, then its bit i % 8.
    const __m256i place =
        _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
    const __m256i bit = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201ull));
    const __m256i bytes = _mm256_shuffle_epi8(_mm256_set1_epi32(word), place);
    const __m256i is_set = _mm256_cmpeq_epi8(_mm256_and_si256(bytes, bit), bit);
    const __m256i signs = _mm256_or_si256(_mm256_andnot_si256(is_set, _mm256_set1_epi8(-1)),
                                          _mm256_and_si256(is_set, _mm256_set1_epi8(1)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), signs);
  }
  static void store(float* to, Sums sum, const std::int32_t* totals, Quantum quantum) {
    const __m256i shift = _mm256_mullo_epi32(_mm256_set1_epi32(quantum.zero), load_any(totals));
    const __m256 whole = _mm256_cvtepi32_ps(_mm256_sub_epi32(sum, shift));
    _mm256_storeu_ps(to, _mm256_mul_ps(whole, _mm256_set1_ps(quantum.scale)));
  }
};

}  // namespace

const ByteOps kBytesAvx2 = ByteLoops<Unit>::kOps;

}  // namespace tbn::fast

#endif
