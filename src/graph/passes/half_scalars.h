// The scalars of a packed network in half precision: which tensors a file may hold in 16 bits, and
// the conversion in both directions. No kernel knows halves: networks are widened as they are
// loaded.
#pragma once

#include <string>

#include "tbn/model.h"

namespace tbn {

// What of a packed model may lie in half precision: scalars of tiles and of outputs, biases, and
// the numbers of layer norms. Bits, float weights and learned tables may not.
bool may_be_half(TensorRole role);

// Rounds them to the nearest half, of two as near the even one, and keeps them so (F16). The
// numbers of a forecaster's units stay as they are (F32): the network's input has them in full.
// Throws ConfigError, beginning with `where`, for a value that half precision has no room for.
void narrow_scalars(Model& packed, const std::string& where);

// From halves to floats of the same values.
void widen_scalars(Model& packed);

// Throws DataError, beginning with `where`, for a tensor that may be half and is neither half (F16)
// nor single precision (F32).
void check_scalar_types(const Model& packed, const std::string& where);

}  // namespace tbn
