// Declares the rooms for the registry; all other code calls encoding_of().
#pragma once

#include "encodings/encoding.h"

namespace tbn {

const Encoding& float_encoding();
const Encoding& tiled_encoding();
const Encoding& uniform_encoding();

}  // namespace tbn
