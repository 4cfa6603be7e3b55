// The emulated device's streams: work runs at once, or is recorded where a stream is captured.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>

namespace cuda_emulator {

void on_stream(cudaStream_t stream, std::function<void()> work);

// For tests of what happens when something is missing.
void set_devices(int count);
void set_memory(std::size_t bytes);  // of the device, all of it free at first
std::size_t used_memory();
void set_driver(int version);  // as cudaDriverGetVersion counts; too old, every call fails
void set_compute_capability(int major, int minor);
// Whether the driver refuses to describe tensors for bulk copies.
void set_tensor_maps_refused(bool refused);
// Whether the blocks of a launch run from the last to the first.
void set_reversed_blocks(bool reversed);

}  // namespace cuda_emulator
