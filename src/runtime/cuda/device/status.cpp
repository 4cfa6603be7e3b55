// What CUDA says, in a sentence.
#include "runtime/cuda/device/status.h"

#include <string>

#include "tbn/error.h"

namespace tbn::cuda {
namespace {

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

std::string old_driver() {
  int driver = 0, runtime = 0;
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  return "CUDA: this machine's driver is for CUDA " + version_text(driver) +
         " and older, and this tbn is built with CUDA " + version_text(runtime) +
         "; update the NVIDIA driver";
}

std::string out_of_memory(const char* what) {
  std::size_t free = 0, total = 0;
  cudaMemGetInfo(&free, &total);
  const auto mebibytes = [](std::size_t bytes) { return std::to_string(bytes >> 20) + " MiB"; };
  return std::string("CUDA: ") + what + ": the device's memory is too small, " + mebibytes(free) +
         " of " + mebibytes(total) + " are free; try a smaller batch, or end other programs on it";
}

}  // namespace

void check(cudaError_t result, const char* what) {
  if (result == cudaSuccess) return;
  cudaGetLastError();  // so that the next call does not report it again
  switch (result) {
    case cudaErrorMemoryAllocation:
      throw SystemError(out_of_memory(what));
    case cudaErrorInsufficientDriver:
      throw SystemError(old_driver());
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorUnsupportedPtxVersion:
      throw SystemError(std::string("CUDA: ") + what +
                        ": this tbn holds no code for this device; it needs compute capability 7.5 "
                        "or newer, and a driver of the CUDA that it was built with");
    default:
      throw SystemError(std::string("CUDA: ") + what + ": " + cudaGetErrorString(result) + " (" +
                        cudaGetErrorName(result) + ")");
  }
}

}  // namespace tbn::cuda
