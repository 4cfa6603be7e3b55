// Takes the three parts of a number in half precision apart.
#include "base/half.h"

#include <cmath>
#include <cstring>
#include <limits>

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

}  // namespace tbn
