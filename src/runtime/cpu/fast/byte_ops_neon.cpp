// NEON as every AArch64 processor has it. It multiplies no unsigned bytes by signed ones, but signs
// need no product: turned over, a byte q is 255 - q, so that of K inputs, n of them under -1, the
// unsigned sum is 255 n + sum of w q. EOR turns 16 inputs over and UADALP adds them to sums of 16
// bits, in pairs of 510 at most, of which those hold 128. (SMLAL adds 8 products per instruction,
// no fewer; but Arm's guides give it one pipe of two, where UADALP has the other and EOR both.)
#if defined(__aarch64__)

#include <arm_neon.h>

#include "runtime/cpu/fast/byte_loops.h"
#include "runtime/cpu/fast/byte_signs_neon.h"

namespace tbn::fast {
namespace {

struct Unit : PlainUnit {
  static constexpr int kRows = 4;
  static constexpr int kVectors = 4;
  static constexpr int kRegisters = 20;  // of sums of 16 bits; the wide ones wait in memory
  struct Sums {
    uint16x8_t narrow;  // two per row, since the last settle()
    int32x4_t wide;
  };
  using Bytes = uint8x16_t;
  static Sums zero() { return {vdupq_n_u16(0), vdupq_n_s32(0)}; }
  static Bytes load(const std::int8_t* at) {
    return vld1q_u8(reinterpret_cast<const std::uint8_t*>(at));
  }
  static Bytes spread(const std::uint8_t* at) {
    std::uint32_t four;
    __builtin_memcpy(&four, at, 4);
    return vreinterpretq_u8_u32(vdupq_n_u32(four));
  }
  static Sums add(Sums sum, Bytes inputs, Bytes negative) {
    return {vpadalq_u8(sum.narrow, veorq_u8(inputs, negative)), sum.wide};
  }
  static std::int64_t stop(std::int64_t begin, std::int64_t end) {
    constexpr std::int64_t kMost = 4 * 128;
    return end - begin < kMost ? end : begin + kMost;
  }
  // n is half of K less the weights' total T, so that 255 n = 255 K / 2 - 255 T / 2: the first of
  // the two leaves here, the other in store(). K and T are even.
  static Sums settle(Sums sum, std::int64_t inputs) {
    const uint32x4_t wide = vpadalq_u16(vreinterpretq_u32_s32(sum.wide), sum.narrow);
    const int32x4_t half = vdupq_n_s32(static_cast<std::int32_t>(255 * (inputs / 2)));
    return {vdupq_n_u16(0), vsubq_s32(vreinterpretq_s32_u32(wide), half)};
  }
  static void expand(const std::uint8_t* bits, std::int8_t* to) {
    vst1q_s8(to, vreinterpretq_s8_u8(negatives(bits)));
  }
  static void store(float* to, Sums sum, const std::int32_t* totals, Quantum quantum) {
    const int32x4_t halves = vshrq_n_s32(vld1q_s32(totals), 1);
    const int32x4_t whole = vmlaq_n_s32(sum.wide, halves, 255 - 2 * quantum.zero);
    vst1q_f32(to, vmulq_n_f32(vcvtq_f32_s32(whole), quantum.scale));
  }
};

}  // namespace

const ByteOps kBytesNeon = ByteLoops<Unit>::kOps;

}  // namespace tbn::fast

#endif
