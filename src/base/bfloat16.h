// The upper half of a float: 8 bits of mantissa. Plain C++ for the loops on a CPU and the kernels
// on a GPU alike.
#pragma once

#include <cstdint>
#include <cstring>

#ifdef __CUDACC__
#define TBN_BOTH __host__ __device__ __forceinline__
#else
#define TBN_BOTH inline
#endif

namespace tbn {

struct Bfloat16 {
  std::uint16_t bits;
};

TBN_BOTH float to_float(float x) { return x; }
TBN_BOTH float to_float(Bfloat16 x) {
  const std::uint32_t bits = static_cast<std::uint32_t>(x.bits) << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

TBN_BOTH void from_float(float x, float& to) { to = x; }
// Rounds to the nearest, to even between two; not-a-number stays one.
TBN_BOTH void from_float(float x, Bfloat16& to) {
  std::uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  const bool is_nan = (bits & 0x7fffffffU) > 0x7f800000U;
  const std::uint32_t rounded = bits + 0x7fffU + ((bits >> 16) & 1U);
  to.bits = static_cast<std::uint16_t>(is_nan ? 0x7fc0U : rounded >> 16);
}

}  // namespace tbn
