// The integers of uniform weights: what a float becomes, and how a row of them lies in a file.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tbn {

constexpr std::int64_t kFewestLevelBits = 2;
constexpr std::int64_t kMostLevelBits = 8;

// The levels of integers of that many bits, as two's complement has them and LSQ takes them:
// -2^(bits - 1) to 2^(bits - 1) - 1. Without the lowest, which has no counterpart, two bits would
// be three levels.
constexpr std::int64_t lowest_level(std::int64_t bits) { return -(std::int64_t{1} << (bits - 1)); }
constexpr std::int64_t highest_level(std::int64_t bits) {
  return (std::int64_t{1} << (bits - 1)) - 1;
}

// What is trained of a step size is alpha = step * highest level: the largest weight that an output
// can hold, of the weights' own size whatever the bits. Its sign means nothing. In single
// precision, as the trainer computes it.
constexpr float kLeastAlpha = 1e-12f;
float step_factor(std::int64_t bits);  // 1 / highest level
float step_of(float alpha, std::int64_t bits);

// weight / step in single precision, clamped to the levels and rounded, halves to even: as the
// trainer computes it, so that no level changes on the way into a file. 0 where step is 0.
std::int8_t level_of(float weight, float step, std::int64_t bits);

// Bytes of a row of that many levels. Each row begins on a byte.
constexpr std::int64_t level_row_bytes(std::int64_t count, std::int64_t bits) {
  return (count * bits + 7) / 8;
}
// Level k of a row is its bits [k bits, (k + 1) bits), the lowest first, in two's complement; bit i
// of byte j is the row's bit 8 j + i. Bits behind the last level are 0.
void pack_levels(std::span<const std::int8_t> row, std::int64_t bits,
                 std::span<std::uint8_t> packed);
void unpack_levels(std::span<const std::uint8_t> packed, std::int64_t bits,
                   std::span<std::int8_t> row);

}  // namespace tbn
