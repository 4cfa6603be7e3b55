// Whether a configuration can be written into a run directory and read back.
#pragma once

#include "config/config.h"

namespace tbn {

// Throws ConfigError, with the key, where the configuration could not be written into checkpoints
// and read back as it is: a folder's name that is not UTF-8, for instance. It is looked for before
// training, since the first checkpoint is written after it.
void check_storable(const Config& config);

}  // namespace tbn
