// Finds weights that are infinite or not a number.
#pragma once

#include <string>

#include "tbn/tensor.h"

namespace tbn {

// Throws NonFiniteError where an element of a floating-point tensor is not finite: "<where>: tensor
// 'fc.weight' holds nan; <advice>".
void check_finite(const TensorMap& tensors, const std::string& where, const std::string& advice);

}  // namespace tbn
