// Numbers in half precision (IEEE 754 binary16), as packed files may hold scalars.
#pragma once

#include <cstdint>

#include "tbn/tensor.h"

namespace tbn {

// Of the 16 bits; exact, subnormal numbers, infinity and what is not a number included.
float from_half(std::uint16_t bits);

// An F16 tensor as F32, of the same shape.
HostTensor widened(const HostTensor& halves);

}  // namespace tbn
