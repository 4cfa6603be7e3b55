// How often memory was asked for: this program's operator new counts.
#pragma once

#include <cstdint>

namespace tbn::test {

// Since the program began, by all threads.
std::int64_t allocations();

}  // namespace tbn::test
