// NEON as every AArch64 processor has it: no product of unsigned bytes and signed ones, so that
// both become 16 bits, and SMLAL adds products of one input with four rows.
#if defined(__aarch64__)

#include <arm_neon.h>

#include "runtime/cpu/fast/byte_loops.h"

namespace tbn::fast {
namespace {

struct Unit : PlainUnit {
  static constexpr int kRows = 8;
  static constexpr int kVectors = 2;
  static constexpr int kRegisters = 8;  // of sums, two each
  struct Sums {
    int32x4_t low, high;  // rows 0 to 3 and 4 to 7
  };
  struct Bytes {
    int16x8_t of[4];  // the rows' weights of each input
  };
  static Sums zero() { return {vdupq_n_s32(0), vdupq_n_s32(0)}; }
  static Bytes load(const std::int8_t* at) {
    const int8x8x4_t bytes = vld4_s8(at);
    return {{vmovl_s8(bytes.val[0]), vmovl_s8(bytes.val[1]), vmovl_s8(bytes.val[2]),
             vmovl_s8(bytes.val[3])}};
  }
  static int16x4_t spread(const std::uint8_t* at) {
    std::uint32_t four;
    __builtin_memcpy(&four, at, 4);
    const uint16x8_t wide = vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(four)));
    return vreinterpret_s16_u16(vget_low_u16(wide));
  }
  template <int K>
  static Sums add_input(Sums sum, int16x4_t inputs, const Bytes& weights) {
    return {vmlal_lane_s16(sum.low, vget_low_s16(weights.of[K]), inputs, K),
            vmlal_high_lane_s16(sum.high, weights.of[K], inputs, K)};
  }
  static Sums add(Sums sum, int16x4_t inputs, const Bytes& weights) {
    sum = add_input<0>(sum, inputs, weights);
    sum = add_input<1>(sum, inputs, weights);
    sum = add_input<2>(sum, inputs, weights);
    return add_input<3>(sum, inputs, weights);
  }
  static void store(float* to, Sums sum, const std::int32_t* totals, Quantum quantum) {
    const int32x4_t low = vmlsq_n_s32(sum.low, vld1q_s32(totals), quantum.zero);
    const int32x4_t high = vmlsq_n_s32(sum.high, vld1q_s32(totals + 4), quantum.zero);
    vst1q_f32(to, vmulq_n_f32(vcvtq_f32_s32(low), quantum.scale));
    vst1q_f32(to + 4, vmulq_n_f32(vcvtq_f32_s32(high), quantum.scale));
  }
};

}  // namespace

const IntegerOps kIntegersNeon = ByteLoops<Unit>::kIntegerOps;

}  // namespace tbn::fast

#endif
