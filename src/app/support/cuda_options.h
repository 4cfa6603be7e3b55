// --device, --precision and --kernel for packed files on CUDA devices.
#pragma once

#include "app/support/options.h"
#include "tbn/cuda.h"

namespace tbn {

// Whether --device names a CUDA device: "cuda" or "cuda:N". Throws ConfigError where it is none of
// these, cpu and auto; auto is the cpu.
bool asks_for_cuda(const CommandLine& line);

// The settings of a command line that has the options device, precision and kernel.
CudaOptions cuda_options(const CommandLine& line);

// By its name; throws ConfigError for another.
Precision precision_of(const CommandLine& line);

}  // namespace tbn
