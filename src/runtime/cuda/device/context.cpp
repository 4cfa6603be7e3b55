// Looks at the device.
#include "runtime/cuda/device/context.h"

#include <cuda_runtime_api.h>

#include "runtime/cuda/device/matrix_library.h"
#include "runtime/cuda/device/status.h"
#include "tbn/error.h"

namespace tbn::cuda {
namespace {

constexpr int kLeastCapability = 75;

int device_count() {
  int count = 0;
  const cudaError_t result = cudaGetDeviceCount(&count);
  int driver = 0;  // stays 0 where none is installed, which the count reports as one that is old
  cudaDriverGetVersion(&driver);
  if (result == cudaErrorNoDevice || (result == cudaErrorInsufficientDriver && driver == 0)) {
    cudaGetLastError();
    return 0;
  }
  check(result, "looking for devices");
  return count;
}

DeviceInfo describe(int index) {
  const int count = device_count();
  if (count == 0) {
    throw ConfigError(
        "no CUDA device is found on this machine (check nvidia-smi); use --device cpu");
  }
  if (index < 0 || index >= count) {
    throw ConfigError("CUDA device " + std::to_string(index) +
                      " does not exist; this machine has " +
                      (count == 1 ? "device 0" : "0 to " + std::to_string(count - 1)));
  }
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, index), "looking at the device");
  DeviceInfo device{.index = index,
                    .name = properties.name,
                    .capability = properties.major * 10 + properties.minor,
                    .multiprocessors = properties.multiProcessorCount,
                    .memory = static_cast<std::int64_t>(properties.totalGlobalMem),
                    .shared_bytes = static_cast<std::int64_t>(properties.sharedMemPerBlockOptin)};
  if (device.capability < kLeastCapability) {
    throw SystemError("CUDA: " + device.name + " has compute capability " +
                      std::to_string(properties.major) + "." + std::to_string(properties.minor) +
                      ", and tbn's kernels need 7.5 or newer");
  }
  return device;
}

}  // namespace

Context::Context(int index) : device_(describe(index)) {
  use();
  matrices_ = MatrixLibrary::open();
}

Context::~Context() = default;

void Context::use() const { check(cudaSetDevice(device_.index), "choosing the device"); }

}  // namespace tbn::cuda
