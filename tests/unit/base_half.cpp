// Half precision, over all of its numbers.
#include "base/half.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "support/catch.h"

using namespace tbn;

TEST_CASE("every half is the number that its bits spell") {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const float value = from_half(static_cast<std::uint16_t>(bits));
    const double sign = bits >= 32768 ? -1 : 1;
    const int exponent = static_cast<int>(bits / 1024 % 32);
    const double fraction = (bits % 1024) / 1024.0;
    bool right = static_cast<double>(value) ==
                 (exponent == 0 ? sign * fraction * std::pow(2.0, -14)
                                : sign * (1 + fraction) * std::pow(2.0, exponent - 15));
    if (exponent == 31) right = fraction == 0 ? value == sign * HUGE_VALF : std::isnan(value);
    if (!right || (!std::isnan(value) && std::signbit(value) != (sign < 0))) FAIL(bits);
  }
}

TEST_CASE("a tensor of halves is widened value by value") {
  const std::uint16_t bits[] = {0x3c00, 0xc000, 0x0001, 0x7bff, 0x3555, 0x8000};
  std::vector<std::byte> bytes(sizeof bits);
  std::memcpy(bytes.data(), bits, sizeof bits);
  const HostTensor floats = widened(HostTensor(DType::kF16, {3, 2}, bytes));
  const float expected[] = {1, -2, 0x1p-24f, 65504, 0x1.554p-2f, -0.0f};
  CHECK(floats == HostTensor::of<float>({3, 2}, expected));
}

TEST_CASE(
    "every half is rounded to itself, and what lies between two to the nearer, ties to even") {
  const auto wrong = [](float value, std::uint32_t expected) {
    return to_half(value) != expected || to_half(-value) != (expected | 0x8000u);
  };
  for (std::uint32_t bits = 0; bits < 0x7c00; ++bits) {
    const float value = from_half(static_cast<std::uint16_t>(bits));
    // Beyond the largest half lies what the next one would be.
    const float next = bits == 0x7bff ? 65536.0f : from_half(static_cast<std::uint16_t>(bits + 1));
    const float middle = value + (next - value) / 2;  // exact
    if (wrong(value, bits)) FAIL(bits);
    if (wrong(std::nextafter(middle, 0.0f), bits)) FAIL(bits);
    if (wrong(std::nextafter(middle, next), bits + 1)) FAIL(bits);
    if (wrong(middle, bits + bits % 2)) FAIL(bits);
  }
  CHECK_FALSE(wrong(std::numeric_limits<float>::max(), 0x7c00));
  CHECK_FALSE(wrong(std::numeric_limits<float>::infinity(), 0x7c00));
  CHECK_FALSE(wrong(std::numeric_limits<float>::denorm_min(), 0));
  CHECK(std::isnan(from_half(to_half(std::numeric_limits<float>::quiet_NaN()))));
}

TEST_CASE("a tensor is narrowed value by value, and widened to what was kept") {
  const float values[] = {1, -2, 1.0f + 0x1p-12f, 65504, 0x1.8p-25f, -0.0f};
  const float kept[] = {1, -2, 1, 65504, 0x1p-24f, -0.0f};
  const HostTensor halves = narrowed(HostTensor::of<float>({2, 3}, values));
  CHECK(halves.dtype() == DType::kF16);
  CHECK(widened(halves) == HostTensor::of<float>({2, 3}, kept));
}
