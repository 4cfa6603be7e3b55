// AVX-512 without VNNI: as AVX2 (integer_ops_avx2.cpp), 16 rows at a time.
#if defined(__x86_64__)

#include <immintrin.h>

#include "runtime/cpu/fast/byte_loops.h"

namespace tbn::fast {
namespace {

struct Unit : PlainUnit {
  static constexpr int kRows = 16;
  static constexpr int kVectors = 4;
  static constexpr int kRegisters = 16;  // of sums
  using Sums = __m512i;
  struct Bytes {
    __m512i even, odd;
  };
  static Sums zero() { return _mm512_setzero_si512(); }
  static Bytes load(const std::int8_t* at) {
    const __m512i bytes = _mm512_loadu_si512(at);
    return {_mm512_srai_epi16(_mm512_slli_epi16(bytes, 8), 8), _mm512_srai_epi16(bytes, 8)};
  }
  static Bytes spread(const std::uint8_t* at) {
    std::int32_t four;
    __builtin_memcpy(&four, at, 4);
    const __m512i bytes = _mm512_set1_epi32(four);
    return {_mm512_and_si512(bytes, _mm512_set1_epi16(255)), _mm512_srli_epi16(bytes, 8)};
  }
  static Sums add(Sums sum, const Bytes& inputs, const Bytes& weights) {
    const __m512i even = _mm512_madd_epi16(inputs.even, weights.even);
    const __m512i odd = _mm512_madd_epi16(inputs.odd, weights.odd);
    return _mm512_add_epi32(sum, _mm512_add_epi32(even, odd));
  }
  static void store(float* to, Sums sum, const std::int32_t* totals, Quantum quantum) {
    const __m512i shift =
        _mm512_mullo_epi32(_mm512_set1_epi32(quantum.zero), _mm512_loadu_si512(totals));
    const __m512 whole = _mm512_cvtepi32_ps(_mm512_sub_epi32(sum, shift));
    _mm512_storeu_ps(to, _mm512_mul_ps(whole, _mm512_set1_ps(quantum.scale)));
  }
};

}  // namespace

const IntegerOps kIntegersAvx512 = ByteLoops<Unit>::kIntegerOps;

}  // namespace tbn::fast

#endif
