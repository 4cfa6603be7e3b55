// Any processor: four rows of four bytes at a time, in plain C++.
#include <algorithm>

#include "runtime/cpu/fast/byte_loops.h"

namespace tbn::fast {
namespace {

struct Unit : PlainUnit {
  static constexpr int kRows = 4;
  static constexpr int kVectors = 2;
  static constexpr int kRegisters = 8;
  struct Sums {
    std::int32_t of[kRows];
  };
  struct Bytes {
    std::int16_t of[kRows * 4];
  };
  static Sums zero() { return {}; }
  static Bytes load(const std::int8_t* at) {
    Bytes bytes;
    std::copy_n(at, kRows * 4, bytes.of);
    return bytes;
  }
  static Bytes spread(const std::uint8_t* at) {
    Bytes bytes;
    for (int i = 0; i < kRows * 4; ++i) bytes.of[i] = at[i % 4];
    return bytes;
  }
  static Sums add(Sums sum, const Bytes& inputs, const Bytes& signs) {
    for (int r = 0; r < kRows; ++r) {
      for (int i = 4 * r; i < 4 * r + 4; ++i) sum.of[r] += inputs.of[i] * signs.of[i];
    }
    return sum;
  }
  static void expand(const std::uint8_t* bits, std::int8_t* to) {
    for (int i = 0; i < kRows * 4; ++i) {
      to[i] = static_cast<std::int8_t>(((bits[i / 8] >> (i % 8)) & 1) != 0 ? 1 : -1);
    }
  }
  static void store(float* to, const Sums& sum, const std::int32_t* totals, Quantum quantum) {
    for (int r = 0; r < kRows; ++r) {
      to[r] = quantum.scale * static_cast<float>(sum.of[r] - quantum.zero * totals[r]);
    }
  }
};

}  // namespace

const ByteOps kBytesPortable = ByteLoops<Unit>::kOps;
const IntegerOps kIntegersPortable = ByteLoops<Unit>::kIntegerOps;

}  // namespace tbn::fast
