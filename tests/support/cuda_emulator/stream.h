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
// 0: the threads of a block take turns from the first to the last. Else warps and their lanes run
// in an order drawn with the seed, each warp until it can only wait for others, and the blocks of
// every other launch from the last to the first. Gives the seed that was set before.
unsigned set_shuffled_threads(unsigned seed);

}  // namespace cuda_emulator
