// Every form that a layer can take on a microcontroller, as networks of that one layer: where its
// inputs come from, how its weights and scalars are stored, and what follows it.
#pragma once

#include <vector>

#include "support/micro_cases.h"

namespace tbn::test {

// The whole product, some thousand small networks with random tensors. Some take floats (vectors
// and sequences), the others images of bytes.
std::vector<MicroCase> micro_layers();

}  // namespace tbn::test
