// From the `data:` section of a configuration to what the readers of data take.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "data/source/options.h"

namespace tbn {

DataOptions data_options(const DataConfig& data);

// Those of data.validation and data.split_seed that `data` sets otherwise than `base` and that do
// nothing where the data has a validation split of its own (which is known when it is opened):
// nothing is held out, and no limit chooses samples at random. kIdleSplit says so after the key.
std::vector<std::string> idle_split_keys(const DataConfig& data, const DataConfig& base);
inline constexpr std::string_view kIdleSplit =
    "does nothing for data with a validation split of its own; leave it out";

}  // namespace tbn
