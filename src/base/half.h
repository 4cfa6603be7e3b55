// Numbers in half precision (IEEE 754 binary16), as packed files may hold scalars.
#pragma once

#include <cstdint>

#include "tbn/tensor.h"

namespace tbn {

// Of the 16 bits; exact, subnormal numbers, infinity and what is not a number included.
float from_half(std::uint16_t bits);
// The nearest half, of two as near the even one; infinity from 65520 on.
std::uint16_t to_half(float value);

// An F16 tensor as F32, of the same shape.
HostTensor widened(const HostTensor& halves);
// An F32 tensor as F16, of the same shape; each value as to_half() has it.
HostTensor narrowed(const HostTensor& floats);

}  // namespace tbn
