// The descriptions of tensors that the bulk copies of Hopper devices take (cuTensorMapEncode*).
#pragma once

#include <cuda.h>

namespace cuda_emulator {

// The emulated function of the driver, null where there is none of that name.
void* driver_function(const char* name);

}  // namespace cuda_emulator
