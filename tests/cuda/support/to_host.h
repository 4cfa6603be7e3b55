// Device memory in tests, emulated or not.
#pragma once

#include <cuda_runtime_api.h>

#include <vector>

#include "runtime/cuda/device/memory.h"
#include "runtime/cuda/device/status.h"

namespace tbn::cuda::test {

// What lies there once all that was launched has run.
template <class T>
std::vector<T> to_host(const Buffer& buffer) {
  std::vector<T> values(static_cast<std::size_t>(buffer.bytes()) / sizeof(T));
  check(cudaDeviceSynchronize(), "a test");
  check(cudaMemcpy(static_cast<void*>(values.data()), buffer.get(), values.size() * sizeof(T),
                   cudaMemcpyDeviceToHost),
        "a test");
  return values;
}

}  // namespace tbn::cuda::test
