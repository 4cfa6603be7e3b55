// NEON with the dot products of ARMv8.2: SDOT adds four products of signed bytes to each of four
// rows. So inputs q are stored as q - 128, their highest bit turned over, and store() adds 128
// times a row's total along with what it subtracts for the zero: USDOT of ARMv8.6 would save
// nothing.
#if defined(__aarch64__)

#include <arm_neon.h>

#include "runtime/cpu/fast/byte_loops.h"
#include "runtime/cpu/fast/byte_signs_neon.h"

namespace tbn::fast {
namespace {

struct Unit : PlainUnit {
  static constexpr int kRows = 4;
  static constexpr int kVectors = 4;
  static constexpr int kRegisters = 24;  // of sums
  static constexpr std::uint8_t kFlip = 128;
  using Sums = int32x4_t;
  using Bytes = int8x16_t;
  static Sums zero() { return vdupq_n_s32(0); }
  static Bytes load(const std::int8_t* at) { return vld1q_s8(at); }
  // The instruction itself takes one group of four for all rows.
  static int8x8_t spread(const std::uint8_t* at) {
    std::int32_t four;
    __builtin_memcpy(&four, at, 4);
    return vreinterpret_s8_s32(vset_lane_s32(four, vdup_n_s32(0), 0));
  }
  static Sums add(Sums sum, int8x8_t inputs, Bytes signs) {
    return vdotq_lane_s32(sum, signs, inputs, 0);
  }
  static void expand(const std::uint8_t* bits, std::int8_t* to) {
    vst1q_s8(to, vorrq_s8(vreinterpretq_s8_u8(negatives(bits)), vdupq_n_s8(1)));
  }
  static void store(float* to, Sums sum, const std::int32_t* totals, Quantum quantum) {
    const int32x4_t whole = vmlaq_n_s32(sum, vld1q_s32(totals), 128 - quantum.zero);
    vst1q_f32(to, vmulq_n_f32(vcvtq_f32_s32(whole), quantum.scale));
  }
};

}  // namespace

const ByteOps kBytesNeonDotprod = ByteLoops<Unit>::kOps;
const IntegerOps kIntegersNeonDotprod = ByteLoops<Unit>::kIntegerOps;

}  // namespace tbn::fast

#endif
