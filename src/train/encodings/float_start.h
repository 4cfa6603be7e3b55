// The start values of weights that are trained as floats, rounded or not.
#pragma once

#include "train/encodings/trained_weight.h"

namespace tbn {

// Convolutions: Kaiming normal by fan-out. Linear layers, as LibTorch's: U(-k, k), k = 1 / sqrt(m),
// or zeros where a transform shall start at the identity.
torch::Tensor float_weight_start(const LayerDims& dims, const WeightStart& start);
// Convolutions: zeros. Linear layers: as the weight, of the same k.
torch::Tensor float_bias_start(const LayerDims& dims, const WeightStart& start);

}  // namespace tbn
