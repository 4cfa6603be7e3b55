// What sessions of every device ask of the arguments of run().
#pragma once

#include <cstddef>
#include <cstdint>

#include "tbn/runtime.h"

namespace tbn {

// Throws ConfigError unless `batch` is at least 0 and so many values are that many examples.
void check_run_sizes(const Network& network, std::size_t input, std::int64_t batch,
                     std::size_t output);

}  // namespace tbn
