// A packed network made ready for a CPU backend: kernels in order and a memory plan. It is
// read-only while it runs, so that sessions and workers share it.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "runtime/cpu/fast/isa.h"
#include "runtime/cpu/kernel.h"
#include "runtime/plan.h"
#include "tbn/runtime.h"

namespace tbn::cpu {

// The memory that running one example takes.
struct ExampleMemory {
  float* arena = nullptr;
  float* shared = nullptr;
};

class Program {
 public:
  // `graph` and `tensors` must be a checked packed network; `graph` must outlive the program. With
  // the processor's best instructions, or those of `isa`.
  Program(const Graph& graph, const TensorMap& tensors, Backend backend,
          const fast::Isa* isa = nullptr);

  std::int64_t arena_values() const { return plan_.arena_values; }
  std::int64_t shared_values() const { return shared_values_; }
  std::int64_t scratch_values() const { return scratch_values_; }  // of each worker

  // Calls its argument for tasks 0 to count - 1, in any order and at once, with the scratch memory
  // of a worker; returns when all are done.
  using Workers = std::function<void(
      std::int64_t count, const std::function<void(std::int64_t task, float* scratch)>& work)>;

  // One example: `input` and `output` of the graph's shapes, memory of the sizes above with any
  // contents, each beginning on a cache line.
  void run(const float* input, float* output, const ExampleMemory& memory,
           const Workers& workers) const;

 private:
  const Graph& graph_;
  const fast::Isa& isa_;
  MemoryPlan plan_;
  std::vector<Kernel> kernels_;  // one a node
  bool output_channels_last_ = false;
  std::int64_t shared_values_ = 0;
  std::int64_t scratch_values_ = 0;
};

}  // namespace tbn::cpu
