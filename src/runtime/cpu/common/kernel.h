// What the CPU backends make of a node: functions with its weights prepared, made once and run for
// one example at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

namespace tbn::cpu {

// The memory of one call. An elementwise kernel may be given an output that is one of its inputs.
struct Buffers {
  std::span<const float* const> inputs;  // in the node's order
  float* output = nullptr;
  float* scratch = nullptr;  // of Kernel::scratch_values, the worker's own; begins a cache line
  float* shared = nullptr;   // of Kernel::shared_values, one for all workers of a call
};

// First `run` where there is one, then part 0 to parts - 1 in any order and at once. Who computes
// what does not depend on the number of workers, so neither do the answers. All may be called for
// several examples at once.
struct Kernel {
  std::function<void(const Buffers&)> run;
  std::int64_t scratch_values = 0;
  std::function<void(const Buffers&, std::int64_t)> part;
  std::int64_t parts = 0;
  std::int64_t shared_values = 0;
  const char* name = "reference";  // how it computes, for those who time it
};

}  // namespace tbn::cpu
