// A packed network made ready for a CPU backend: kernels in order and a memory plan. It is
// read-only while it runs, so that all workers of a session share it.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/cpu/kernel.h"
#include "runtime/plan.h"
#include "tbn/runtime.h"

namespace tbn::cpu {

class Program {
 public:
  // `graph` and `tensors` must be a checked packed network; `graph` must outlive the program.
  Program(const Graph& graph, const TensorMap& tensors, Backend backend);

  std::int64_t arena_values() const { return plan_.arena_values; }
  std::int64_t scratch_values() const { return scratch_values_; }

  // One example: `input` and `output` of the graph's shapes, `arena` and `scratch` of the sizes
  // above, with any contents.
  void run(const float* input, float* output, float* arena, float* scratch) const;

 private:
  const Graph& graph_;
  MemoryPlan plan_;
  std::vector<Kernel> kernels_;  // one a node
  std::int64_t scratch_values_ = 0;
};

}  // namespace tbn::cpu
