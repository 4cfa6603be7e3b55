// A packed network made ready for a CPU backend: kernels in order and a memory plan. It is
// read-only while it runs, so that sessions and workers share it.
#pragma once

#include <cstdint>
#include <vector>

#include "base/function_ref.h"
#include "graph/node_rows.h"
#include "runtime/cpu/common/kernel.h"
#include "runtime/cpu/fast/isa.h"
#include "runtime/cpu/fast/weights.h"
#include "runtime/plan/plan.h"
#include "tbn/runtime.h"

namespace tbn::cpu {

// The memory that running one example takes.
struct ExampleMemory {
  float* arena = nullptr;
  float* shared = nullptr;
  const float** inputs = nullptr;  // the addresses of one node's inputs
};

class CpuProgram {
 public:
  // `graph` and `tensors` must be a checked packed network. With the processor's best instructions,
  // or those of `isa`. Its layers multiply what `rows_of` gives. Throws DataError for prepared
  // weights that do not fit it.
  CpuProgram(const Graph& graph, const TensorMap& tensors, Backend backend,
             const fast::Isa* isa = nullptr, const fast::Prepared& prepared = {},
             const RowsOf& rows_of = layer_rows);

  std::int64_t arena_values() const { return plan_.arena_values; }
  std::int64_t shared_values() const { return shared_values_; }
  std::int64_t most_inputs() const { return most_inputs_; }
  std::int64_t scratch_values() const { return scratch_values_; }  // of each worker

  // Calls its argument for tasks 0 to count - 1, in any order and at once, with the scratch memory
  // of a worker; returns when all are done.
  using Work = FunctionRef<void(std::int64_t task, float* scratch)>;
  using Workers = FunctionRef<void(std::int64_t count, Work work)>;

  // One example: `input` and `output` of the graph's shapes, memory of the sizes above with any
  // contents, each beginning on a cache line. Allocates nothing. `observer` may be null.
  void run(const float* input, float* output, const ExampleMemory& memory, Workers workers,
           RunObserver* observer = nullptr) const;

 private:
  const float* value(NodeId id, const float* input, const ExampleMemory& memory) const;
  void run_kernel(const Kernel& kernel, const Buffers& buffers, Workers workers) const;
  void give_output(const float* value, float* output) const;

  Graph graph_;  // as the backend runs it
  const fast::Isa& isa_;
  MemoryPlan plan_;
  std::vector<Kernel> kernels_;  // one per node
  bool output_channels_last_ = false;
  std::int64_t most_inputs_ = 0;
  std::int64_t shared_values_ = 0;
  std::int64_t scratch_values_ = 0;
};

}  // namespace tbn::cpu
