// AVX2: the pairs that vpmaddubsw adds would not fit 16 bits beyond weights of 64, so that bytes
// become 16 bits first: of four in a lane the first and the third, and the second and the fourth,
// which vpmaddwd adds in 32.
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
  struct Bytes {
    __m256i even, odd;
  };
  static Sums zero() { return _mm256_setzero_si256(); }
  static __m256i load_any(const void* at) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(at));
  }
  static Bytes load(const std::int8_t* at) {
    const __m256i bytes = load_any(at);
    return {_mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8), _mm256_srai_epi16(bytes, 8)};
  }
  static Bytes spread(const std::uint8_t* at) {
    std::int32_t four;
    __builtin_memcpy(&four, at, 4);
    const __m256i bytes = _mm256_set1_epi32(four);
    return {_mm256_and_si256(bytes, _mm256_set1_epi16(255)), _mm256_srli_epi16(bytes, 8)};
  }
  static Sums add(Sums sum, const Bytes& inputs, const Bytes& weights) {
    const __m256i even = _mm256_madd_epi16(inputs.even, weights.even);
    const __m256i odd = _mm256_madd_epi16(inputs.odd, weights.odd);
    return _mm256_add_epi32(sum, _mm256_add_epi32(even, odd));
  }
  static void store(float* to, Sums sum, const std::int32_t* totals, Quantum quantum) {
    const __m256i shift = _mm256_mullo_epi32(_mm256_set1_epi32(quantum.zero), load_any(totals));
    const __m256 whole = _mm256_cvtepi32_ps(_mm256_sub_epi32(sum, shift));
    _mm256_storeu_ps(to, _mm256_mul_ps(whole, _mm256_set1_ps(quantum.scale)));
  }
};

}  // namespace

const IntegerOps kIntegersAvx2 = ByteLoops<Unit>::kIntegerOps;

}  // namespace tbn::fast

#endif
