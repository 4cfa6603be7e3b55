// Takes the three parts of a number in half precision apart, and puts them together.
#include "base/half.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "tbn/error.h"

namespace tbn {

float from_half(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  float magnitude = 0;
  if (exponent == 31) {
    magnitude = fraction == 0 ? std::numeric_limits<float>::infinity()
                              : std::numeric_limits<float>::quiet_NaN();
  } else if (exponent == 0) {
    magnitude = std::ldexp(static_cast<float>(fraction), -24);
  } else {
    magnitude = std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  }
  return (bits >> 15) != 0 ? -magnitude : magnitude;
}

std::uint16_t to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 16 & 0x8000u;
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  const auto with_sign = [&](std::uint32_t half) {
    return static_cast<std::uint16_t>(sign | half);
  };
  if (magnitude > 0x7f800000u) return with_sign(0x7e00u);
  if (magnitude >= 0x477ff000u) return with_sign(0x7c00u);  // 65520 and beyond
  // The significand, and how many of its bits are dropped; below 2^-14 there is one unit, 2^-24.
  const std::uint32_t exponent = magnitude >> 23;
  if (exponent < 102) return with_sign(0);  // less than half of that unit
  const bool subnormal = exponent < 113;
  const std::uint32_t from =
      subnormal ? (magnitude & 0x7fffffu) | 0x800000u : magnitude - (112u << 23);
  const std::uint32_t dropped = subnormal ? 126 - exponent : 13;
  const std::uint32_t kept = from >> dropped;
  const std::uint32_t rest = from & ((1u << dropped) - 1);
  const std::uint32_t middle = 1u << (dropped - 1);
  const bool up = rest > middle || (rest == middle && (kept & 1u) != 0);
  return with_sign(kept + (up ? 1 : 0));  // a carry goes into the exponent, as it should
}

HostTensor widened(const HostTensor& halves) {
  TBN_CHECK(halves.dtype() == DType::kF16, "numbers in half precision");
  HostTensor floats(DType::kF32, halves.shape());
  const std::byte* from = halves.bytes().data();
  for (float& value : floats.values<float>()) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, from, sizeof bits);
    value = from_half(bits);
    from += sizeof bits;
  }
  return floats;
}

HostTensor narrowed(const HostTensor& floats) {
  TBN_CHECK(floats.dtype() == DType::kF32, "numbers in single precision");
  std::vector<std::byte> bytes;
  bytes.reserve(floats.bytes().size() / 2);
  for (const float value : floats.values<float>()) {
    const std::uint16_t half = to_half(value);
    bytes.push_back(static_cast<std::byte>(half & 255));
    bytes.push_back(static_cast<std::byte>(half >> 8));
  }
  return {DType::kF16, floats.shape(), std::move(bytes)};
}

}  // namespace tbn
