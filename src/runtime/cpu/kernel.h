// What the CPU backends make of a node: a function with its weights prepared, made once per session
// and run for one example at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

namespace tbn::cpu {

// The memory of one call. An elementwise kernel may be given an output that is one of its inputs.
struct Buffers {
  std::span<const float* const> inputs;  // in the node's order
  float* output = nullptr;
  float* scratch = nullptr;  // of Kernel::scratch_values, shared by all kernels of a worker
};

struct Kernel {
  std::function<void(const Buffers&)> run;  // may be called by several threads at once
  std::int64_t scratch_values = 0;
};

}  // namespace tbn::cpu
