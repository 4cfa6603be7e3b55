// Tools for trying kernels: random values, comparisons, a clock.
#pragma once

#include <cstdint>

#include "base/function_ref.h"
#include "runtime/cuda/device/memory.h"
#include "tbn/cuda.h"

namespace tbn::cuda {

// How far a right result may be from another way's, both rounded to the precision.
double tolerance(Precision precision);

// Fills the buffer with values uniform in [-1, 1], others for each seed.
void fill_random(const Buffer& values, Precision precision, std::uint32_t seed,
                 const Stream& stream);

// ||y - wanted|| / ||wanted||; not a number where one of them holds something that is none.
double relative_difference(const Buffer& y, const Buffer& wanted, Precision precision,
                           const Stream& stream);

// Microseconds of one call of `launches`, by the device's clock: the least mean of some rounds,
// each long enough for that clock. With one round it is called once.
double time_launches(const Stream& stream, int rounds, FunctionRef<void()> launches);

}  // namespace tbn::cuda
