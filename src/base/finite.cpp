// Looks at every element, in each of the types that weights have.
#include "base/finite.h"

#include <cmath>
#include <cstring>
#include <optional>

#include "base/text.h"
#include "tbn/error.h"

namespace tbn {
namespace {

template <class T>
std::optional<double> not_finite_in(const HostTensor& tensor) {
  for (const T value : tensor.values<T>()) {
    if (!std::isfinite(value)) return value;
  }
  return std::nullopt;
}

// Of 16 bits: those whose exponent is all ones are infinite, or not a number where more bits
// follow.
std::optional<double> not_finite_in_halves(const HostTensor& tensor, unsigned exponent) {
  const auto bytes = tensor.bytes();
  const unsigned fraction = 0x7fffu & ~exponent;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, bytes.data() + i, sizeof bits);
    if ((bits & exponent) != exponent) continue;
    return (bits & fraction) != 0 ? std::nan("") : (bits & 0x8000u) != 0 ? -HUGE_VAL : HUGE_VAL;
  }
  return std::nullopt;
}

std::optional<double> first_not_finite(const HostTensor& tensor) {
  switch (tensor.dtype()) {
    case DType::kF32:
      return not_finite_in<float>(tensor);
    case DType::kF64:
      return not_finite_in<double>(tensor);
    case DType::kF16:
      return not_finite_in_halves(tensor, 0x7c00);
    case DType::kBF16:
      return not_finite_in_halves(tensor, 0x7f80);
    default:
      return std::nullopt;
  }
}

}  // namespace

void check_finite(const TensorMap& tensors, const std::string& where, const std::string& advice) {
  for (const auto& [name, tensor] : tensors) {
    const std::optional<double> value = first_not_finite(tensor);
    if (!value) continue;
    const std::string shown = std::isnan(*value) ? "nan" : *value < 0 ? "-inf" : "inf";
    throw NonFiniteError(where + ": tensor " + in_quotes(name) + " holds " + shown + "; " + advice);
  }
}

}  // namespace tbn
