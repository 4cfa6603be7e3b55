// Activation functions on a run of floats, as an op of their own and as the end of others.
#pragma once

#include <cstdint>

#include "tbn/ops.h"

namespace tbn::reference {

// values[i] = act(values[i]). A value that is not a number stays one.
void apply_activation(ActivationKind kind, float* values, std::int64_t count);

}  // namespace tbn::reference
