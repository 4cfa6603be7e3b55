// Sums of bytes under signs or integers, on registers of a Unit. Of internal linkage on purpose:
// each file keeps the copy that its own compiler flags made (see isa.h).
#pragma once

#include "runtime/cpu/fast/isa.h"

namespace tbn::fast {
namespace {

// What most units have in common: sums that are as wide as they get from the first byte on, of
// bytes as they are.
struct PlainUnit {
  static constexpr std::uint8_t kFlip = 0;  // see ByteOps
  // Where a run of inputs that ends at `end` is interrupted for settle(), and what that does to the
  // sums of that many inputs.
  static std::int64_t stop(std::int64_t /*begin*/, std::int64_t end) { return end; }
  template <class Sums>
  static Sums settle(Sums sum, std::int64_t /*inputs*/) {
    return sum;
  }
};

// Unit says what a register is: kRows rows with four bytes each (Bytes), and their sums (Sums).
template <class Unit>
struct ByteLoops {
  using Sums = typename Unit::Sums;
  using Bytes = typename Unit::Bytes;

  // Comparisons pass over what is not a number; 0 times it, and 0 times infinity, shows.
  static void range(const float* x, std::int64_t count, float* low, float* high) {
    constexpr int kLanesHere = Unit::kRows >= 16 ? 64 : 32;  // what registers hold
    float least[kLanesHere] = {}, most[kLanesHere] = {};     // 0 is always within
    float zeros[kLanesHere] = {};
    std::int64_t i = 0;
    for (; i + kLanesHere <= count; i += kLanesHere) {
      for (int l = 0; l < kLanesHere; ++l) {
        least[l] = x[i + l] < least[l] ? x[i + l] : least[l];
        most[l] = x[i + l] > most[l] ? x[i + l] : most[l];
        zeros[l] += 0.0f * x[i + l];
      }
    }
    for (; i < count; ++i) {
      least[0] = x[i] < least[0] ? x[i] : least[0];
      most[0] = x[i] > most[0] ? x[i] : most[0];
      zeros[0] += 0.0f * x[i];
    }
    for (int l = 1; l < kLanesHere; ++l) {
      least[0] = least[l] < least[0] ? least[l] : least[0];
      most[0] = most[l] > most[0] ? most[l] : most[0];
      zeros[0] += zeros[l];
    }
    *low = least[0] + zeros[0];
    *high = most[0] + zeros[0];
  }

  // Bytes know no infinity and nothing that is not a number, which become any byte: range() finds
  // them, and the quantum's scale is none then.
  static void quantise(const float* x, std::int64_t count, Quantum quantum, std::uint8_t* bytes) {
    const float factor = 1.0f / quantum.scale;
    const float shift = static_cast<float>(quantum.zero) + 0.5f;
    for (std::int64_t i = 0; i < count; ++i) {
      const float v = x[i] * factor + shift;
      const float above = v > 0.0f ? v : 0.0f;
      const int whole = static_cast<int>(above < 255.0f ? above : 255.0f);
      bytes[i] = static_cast<std::uint8_t>(whole ^ Unit::kFlip);
    }
  }

  static void expand(const std::uint8_t* bits, std::int64_t count, std::int8_t* bytes) {
    for (std::int64_t i = 0; i < count; ++i) {
      Unit::expand(bits + i * (Unit::kRows / 2), bytes + i * (Unit::kRows * 4));
    }
  }

  // N registers of rows of P pixels: every register of weights that is loaded meets P inputs.
  template <int N, int P>
  static void multiply_block(const std::int8_t* weights, Window window, const std::uint8_t* base,
                             const std::int64_t* at, const std::int32_t* totals,
                             const Quantum* quanta, std::int64_t quantum_step, float* sums,
                             std::int64_t stride) {
    const std::uint8_t* x[P];
    Sums sum[P][N];
#pragma GCC unroll 16
    for (int j = 0; j < P; ++j) {
      x[j] = base + at[j];
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) sum[j][i] = Unit::zero();
    }
    for (std::int64_t s = 0; s < window.segments; ++s) {
      const std::int64_t end = s * window.pitch + window.run;
      for (std::int64_t k = s * window.pitch; k < end;) {
        const std::int64_t begin = k, stop = Unit::stop(begin, end);
        for (; k < stop; k += 4) {
          Bytes w[N];
#pragma GCC unroll 4
          for (int i = 0; i < N; ++i) w[i] = Unit::load(weights + 4 * Unit::kRows * i);
          weights += N * 4 * Unit::kRows;
#pragma GCC unroll 16
          for (int j = 0; j < P; ++j) {
            const auto value = Unit::spread(x[j] + k);
#pragma GCC unroll 4
            for (int i = 0; i < N; ++i) sum[j][i] = Unit::add(sum[j][i], value, w[i]);
          }
        }
#pragma GCC unroll 16
        for (int j = 0; j < P; ++j) {
#pragma GCC unroll 4
          for (int i = 0; i < N; ++i) sum[j][i] = Unit::settle(sum[j][i], stop - begin);
        }
      }
    }
#pragma GCC unroll 16
    for (int j = 0; j < P; ++j) {
      const Quantum quantum = quanta[j * quantum_step];
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) {
        Unit::store(sums + j * stride + Unit::kRows * i, sum[j][i], totals + Unit::kRows * i,
                    quantum);
      }
    }
  }

  template <int N>
  static void multiply_rows(const std::int8_t* weights, Window window, const std::uint8_t* base,
                            Places places, const std::int32_t* totals, const Quantum* quanta,
                            std::int64_t quantum_step, float* sums, std::int64_t stride) {
    constexpr int kMost = Unit::kRegisters / (N < 2 ? 2 : N);
    const auto block = [&]<int P>(std::int64_t i) {
      multiply_block<N, P>(weights, window, base, places.at + i, totals, quanta + i * quantum_step,
                           quantum_step, sums + i * stride, stride);
      return i + P;
    };
    std::int64_t i = 0;
    while (i + kMost <= places.count) i = block.template operator()<kMost>(i);
    while (i + 4 <= places.count) i = block.template operator()<4>(i);
    while (i + 2 <= places.count) i = block.template operator()<2>(i);
    while (i < places.count) i = block.template operator()<1>(i);
  }

  static void multiply(const std::int8_t* weights, int vectors, Window window,
                       const std::uint8_t* base, Places places, const std::int32_t* totals,
                       const Quantum* quanta, std::int64_t quantum_step, float* sums,
                       std::int64_t stride) {
    const auto part = [&] {
      if constexpr (Unit::kVectors == 4) {
        if (vectors == 4) return multiply_rows<4>;
        if (vectors == 3) return multiply_rows<3>;
      }
      return vectors == 2 ? multiply_rows<2> : multiply_rows<1>;
    }();
    part(weights, window, base, places, totals, quanta, quantum_step, sums, stride);
  }

  static constexpr ByteOps kOps = {.rows = Unit::kRows,
                                   .vectors = Unit::kVectors,
                                   .flip = Unit::kFlip,
                                   .range = range,
                                   .quantise = quantise,
                                   .expand = expand,
                                   .multiply = multiply};
  // For units that multiply any byte, not signs alone.
  static constexpr IntegerOps kIntegerOps = {
      .rows = Unit::kRows, .vectors = Unit::kVectors, .multiply = multiply};
};

}  // namespace
}  // namespace tbn::fast
