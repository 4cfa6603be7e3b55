// What a node of a network becomes on the device: launches on a stream, made once and run for any
// batch.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <functional>
#include <span>

#include "tbn/cuda.h"

namespace tbn::cuda {

// The memory of one call. Values lie example by example; of an image channels last where the
// program says so. An elementwise step may be given an output that is one of its inputs.
struct Call {
  std::span<const void* const> inputs;  // in the node's order
  void* output = nullptr;
  std::int64_t batch = 0;
  cudaStream_t stream = nullptr;
  // DeviceStep::workspace_bytes(batch) bytes, aligned to 256. Only that of a layer begins with the
  // counters (see layer.h), which are counted in its size.
  void* workspace = nullptr;
};

struct DeviceStep {
  std::function<void(const Call&)> run = {};
  std::function<std::int64_t(std::int64_t batch)> workspace_bytes = {};  // none: 0
  // Chooses kernels for a batch size; before the others, and not while a graph is captured.
  std::function<void(std::int64_t batch)> prepare = {};
};

}  // namespace tbn::cuda
