// CUDA's return codes as exceptions of ours.
#pragma once

#include <cuda_runtime_api.h>

namespace tbn::cuda {

// Throws SystemError "CUDA: <what>: <CUDA's words>" unless the call succeeded; one that says what
// to do where the memory ran out or the driver is older than this build of tbn needs.
void check(cudaError_t result, const char* what);

}  // namespace tbn::cuda
