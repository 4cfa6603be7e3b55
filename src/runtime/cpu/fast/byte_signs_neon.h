// Bits to bytes, for the units that sum bytes with NEON. Of internal linkage on purpose: each file
// keeps the copy that its own compiler flags made (see isa.h).
#pragma once

#include <arm_neon.h>

#include "runtime/cpu/fast/isa.h"

namespace tbn::fast {
namespace {

// 255 where a bit is 0, a weight of -1; else 0.
inline uint8x16_t negatives(const std::uint8_t* bits) {
  const uint8x16_t bytes = vcombine_u8(vld1_dup_u8(bits), vld1_dup_u8(bits + 1));
  const uint8x16_t bit = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201ull));
  return vmvnq_u8(vtstq_u8(bytes, bit));
}

}  // namespace
}  // namespace tbn::fast
