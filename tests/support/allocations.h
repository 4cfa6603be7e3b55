// How often memory was asked for, and for how much: this program's operator new counts.
#pragma once

#include <cstdint>

namespace tbn::test {

// Since the program began, by all threads.
std::int64_t allocations();
std::int64_t allocated_bytes();  // freed or not
std::int64_t live_bytes();       // those not freed yet, as the allocator rounds them

}  // namespace tbn::test
