// From the `data:` section of a configuration to what the readers of data take.
#pragma once

#include "config/config.h"
#include "data/source/options.h"

namespace tbn {

DataOptions data_options(const DataConfig& data);

}  // namespace tbn
