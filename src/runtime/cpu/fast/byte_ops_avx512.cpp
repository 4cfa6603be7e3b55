// AVX-512 with VNNI: vpdpbusd adds four products of bytes to each of 16 rows.
#if defined(__x86_64__)

#include <immintrin.h>

#include "runtime/cpu/fast/byte_loops.h"

namespace tbn::fast {
namespace {

struct Unit : PlainUnit {
  static constexpr int kRows = 16;
  static constexpr int kVectors = 4;
  static constexpr int kRegisters = 24;  // of sums
  using Sums = __m512i;
  using Bytes = __m512i;
  static Sums zero() { return _mm512_setzero_si512(); }
  static Bytes load(const std::int8_t* at) { return _mm512_loadu_si512(at); }
  static Bytes spread(const std::uint8_t* at) {
    std::int32_t four;
    __builtin_memcpy(&four, at, 4);
    return _mm512_set1_epi32(four);
  }
  static Sums add(Sums sum, Bytes inputs, Bytes signs) {
    return _mm512_dpbusd_epi32(sum, inputs, signs);
  }
  static void expand(const std::uint8_t* bits, std::int8_t* to) {
    std::uint64_t mask;
    __builtin_memcpy(&mask, bits, 8);
    const __m512i signs = _mm512_mask_blend_epi8(mask, _mm512_set1_epi8(-1), _mm512_set1_epi8(1));
    _mm512_storeu_si512(to, signs);
  }
  static void store(float* to, Sums sum, const std::int32_t* totals, Quantum quantum) {
    const __m512i shift =
        _mm512_mullo_epi32(_mm512_set1_epi32(quantum.zero), _mm512_loadu_si512(totals));
    const __m512 whole = _mm512_cvtepi32_ps(_mm512_sub_epi32(sum, shift));
    _mm512_storeu_ps(to, _mm512_mul_ps(whole, _mm512_set1_ps(quantum.scale)));
  }
};

}  // namespace

const ByteOps kBytesVnni = ByteLoops<Unit>::kOps;
const IntegerOps kIntegersVnni = ByteLoops<Unit>::kIntegerOps;

}  // namespace tbn::fast

#endif
