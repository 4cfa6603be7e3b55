// The peak rate of the machine, which a layer's rate is compared with.
#pragma once

#include <cstdint>

namespace tbn::app {

// Float multiply-adds a second that one core reaches in registers, in 10^9; 0 on processors
// without AVX2.
double peak_gmacs();

// Bytes of the largest cache; 0 where the system does not say.
std::int64_t last_level_cache();

}  // namespace tbn::app
