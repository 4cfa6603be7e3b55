// Descriptions of activations for the bulk copies of Hopper devices: boxes of 64 inputs, swizzled
// by 128 bytes as the matrix units take them, with zeros for what lies outside.
#pragma once

#include <cuda.h>

#include "runtime/cuda/layer/layer.h"

namespace tbn::cuda {

// Inputs of a copied row: 128 bytes.
inline constexpr int kCopyInputs = 64;

// Whether one of the two maps below describes the inputs of such a layer of 16-bit values.
bool has_tensor_map(const LayerShape& shape);
// For linear layers [pixels][channels] in boxes of `pixels`; for others the windows of as many
// pixels at one tap. Throws SystemError where the driver refuses.
CUtensorMap input_map(const LayerShape& shape, Precision precision, const void* x, int pixels);

}  // namespace tbn::cuda
