// Overflow-checked sizes of tensors: what readers of hostile files use before they allocate.
#pragma once

#include <cstdint>
#include <optional>

#include "tbn/tensor.h"

namespace tbn {

// The product of the dimensions, or nothing when one is negative or when the product of those that
// are not zero overflows (so that no part of the shape can overflow later either).
std::optional<std::int64_t> checked_element_count(const Shape& shape);

// The bytes of such a tensor, or nothing, as above.
std::optional<std::int64_t> checked_byte_count(DType dtype, const Shape& shape);

}  // namespace tbn
