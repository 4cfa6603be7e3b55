// Launches kernels with checked errors. Tests replace the launch by their emulator's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/cuda/device/device_code.h"
#include "runtime/cuda/device/status.h"

namespace tbn::cuda {

struct Grid {
  dim3 blocks;
  dim3 threads;
  std::size_t shared_bytes = 0;
  bool cooperative = false;  // all blocks run at once and may wait for each other
};

// Blocks of 256 threads for a loop over `values` (see first_index): enough to fill any device.
inline Grid grid_over(std::int64_t values) {
  constexpr std::int64_t kThreads = 256, kMostBlocks = 132 * 16;
  const std::int64_t blocks = (values + kThreads - 1) / kThreads;
  return {.blocks = static_cast<unsigned>(blocks < 1             ? 1
                                          : blocks > kMostBlocks ? kMostBlocks
                                                                 : blocks),
          .threads = static_cast<unsigned>(kThreads)};
}

// Runs kernel(arguments...) on the stream. Throws SystemError, naming the kernel, where it cannot
// be launched.
#ifdef TBN_CUDA_EMULATED
template <class... P, class... A>
void launch(const char* name, void (*kernel)(P...), const Grid& grid, cudaStream_t stream,
            A&&... arguments) {
  cuda_emulator::launch(grid.blocks, grid.threads, grid.shared_bytes, grid.cooperative, stream,
                        name, [kernel, ... copies = P(arguments)] { kernel(copies...); });
}
#else
template <class... P, class... A>
void launch(const char* name, void (*kernel)(P...), const Grid& grid, cudaStream_t stream,
            A&&... arguments) {
  constexpr std::size_t kSharedWithoutAsking = 48 * 1024;
  if (grid.shared_bytes > kSharedWithoutAsking) {
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(grid.shared_bytes)),
          name);
  }
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeCooperative;
  attribute.val.cooperative = grid.cooperative ? 1 : 0;
  cudaLaunchConfig_t config{};
  config.gridDim = grid.blocks;
  config.blockDim = grid.threads;
  config.dynamicSmemBytes = grid.shared_bytes;
  config.stream = stream;
  config.attrs = &attribute;
  config.numAttrs = grid.cooperative ? 1 : 0;
  check(cudaLaunchKernelEx(&config, kernel, static_cast<P>(arguments)...), name);
}
#endif

}  // namespace tbn::cuda
