// The integer form of a network for microcontrollers: activations are bytes q that stand for
// scale * (q - zero), sums are 32 bits, and what follows a sum is fixed-point arithmetic (Jacob et
// al. 2018). c_source() writes these numbers, run_integers() computes with them what the C code
// computes, bit for bit.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "micro/network.h"

namespace tbn::micro {

struct Range {
  float low = 0;
  float high = 0;
  bool operator==(const Range&) const = default;
};
using Ranges = std::vector<Range>;  // of the network's values

// The smallest and largest values that the network takes on `input`, channels last; widens
// `ranges`, which is empty before the first. A value that is not a number makes its range one.
void observe_ranges(const Network& network, std::span<const float> input, Ranges& ranges);

struct Quantity {
  double scale = 1;
  int zero = 0;  // 0..255
};

// A sum s of output c becomes the byte
//   zero + round((s * gain / 2^15 + bias * 2^bias_shift) / 2^shift), at least 0 and at most 255,
// where the first division rounds down; as a logit it is the sum in brackets, of 32 bits.
struct Requantize {
  std::vector<std::int16_t> gains;   // as many as the layer's
  std::vector<std::int16_t> biases;  // [outputs], or empty
  int bias_shift = 0;
  int shift = 0;
  int zero = 0;
};

struct IntegerLayer {
  Requantize out;
  int zero_in = 0;                       // what padding holds
  std::vector<std::int8_t> weights;      // of dense layers, rounded, and of integers, as they are
  std::vector<std::int16_t> flat_gains;  // of flat tiles: alphas, 32767 the largest
};
struct IntegerPool {  // a mean; a maximum needs none
  Requantize out;     // of the sum of q - zero_in
  int zero_in = 0;
};
struct IntegerSum {  // zero + round((gain_0 (a - zero_0) + gain_1 (b - zero_1)) / 2^shift)
  std::array<std::int16_t, 2> gains{};
  std::array<int, 2> zeros_in{};
  int shift = 0;
  int zero = 0;
};
struct IntegerScale {
  Requantize out;         // of q, not of q - zero: biases hold the rest
  bool identity = false;  // only the quantity changes, no byte does
};
struct ByteTable {
  std::array<std::uint8_t, 256> of{};
};
struct Unchanged {  // maxima, relu and reorderings keep the quantity
  int zero = 0;
};
using IntegerAction =
    std::variant<IntegerLayer, IntegerPool, IntegerSum, IntegerScale, ByteTable, Unchanged>;

struct IntegerNetwork {
  Network network;
  std::vector<IntegerAction> actions;  // one per step
  std::vector<Quantity> quantities;    // one per value
  // Whether the last step makes logits of 32 bits, each of which stands for `logit_scale`; else the
  // output is bytes.
  bool logits = false;
  double logit_scale = 1;
};

// Throws ConfigError where no ranges make integers of the network: its input is not bytes, or a
// layer sums more of them than 32 bits hold.
void check_quantizable(const Network& network);

// Throws ConfigError for such a network too, for ranges that are not finite, and where a scalar is
// too large for 32 bits.
IntegerNetwork quantize(Network network, const Ranges& ranges);

// `input` channels last. Logits, or the bytes of the output.
std::vector<std::int32_t> run_integers(const IntegerNetwork& network,
                                       std::span<const std::uint8_t> input);

// sum * gain / 2^15, rounded down, of |sum| < 2^30.
constexpr std::int32_t scaled(std::int32_t sum, std::int32_t gain) {
  return (sum >> 15) * gain + (((sum & 0x7fff) * gain) >> 15);
}

}  // namespace tbn::micro
