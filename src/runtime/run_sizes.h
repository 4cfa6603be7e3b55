// Checks the arguments of run(), for the sessions of every device.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tbn/runtime.h"

namespace tbn {

// Throws ConfigError unless `batch` is at least 0 and the number of values is that of `batch`
// examples.
void check_run_sizes(const Network& network, std::size_t input, std::int64_t batch,
                     std::size_t output);

}  // namespace tbn
