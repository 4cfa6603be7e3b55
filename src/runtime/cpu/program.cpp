// Runs the kernels of a network in order.
#include "runtime/cpu/program.h"

#include <algorithm>
#include <chrono>
#include <iterator>

#include "runtime/cpu/fast/kernel.h"
#include "runtime/cpu/reference/kernel.h"
#include "runtime/plan/fuse_additions.h"
#include "tbn/error.h"

namespace tbn::cpu {
namespace {

fast::Kernels make_kernels(const Graph& graph, const TensorMap& tensors, const RowsOf& rows_of,
                           Backend backend, const fast::Isa& isa, const fast::Prepared& prepared) {
  const auto fast_kernels = [&](fast::InputRounding rounding) {
    return fast::make_kernels(graph, tensors, rows_of, rounding, isa, prepared);
  };
  switch (backend) {
    case Backend::kReference: {
      fast::Kernels kernels{.channels_last = std::vector<bool>(graph.nodes.size(), false)};
      for (const Node& node : graph.nodes) {
        kernels.of_nodes.push_back(reference::make_kernel(graph, tensors, node, rows_of));
      }
      return kernels;
    }
    case Backend::kExact:
      return fast_kernels(fast::InputRounding::kExact);
    case Backend::kInt8:
      return fast_kernels(fast::InputRounding::kBytes);
  }
  TBN_CHECK(false, "not a backend");
}

// Calls `work` and tells the observer, where there is one, how long that took.
void timed(RunObserver* observer, NodeId node, const char* kernel, FunctionRef<void()> work) {
  if (observer == nullptr) return work();
  const auto start = std::chrono::steady_clock::now();
  work();
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  observer->ran(node, kernel, taken.count());
}

}  // namespace

CpuProgram::CpuProgram(const Graph& graph, const TensorMap& tensors, Backend backend,
                       const fast::Isa* isa, const fast::Prepared& prepared, const RowsOf& rows_of)
    : graph_(backend == Backend::kReference ? graph : fuse_additions(graph)),
      isa_(isa != nullptr ? *isa : fast::usable_isas().front()),
      plan_(plan_memory(graph_)) {
  fast::Kernels kernels = make_kernels(graph_, tensors, rows_of, backend, isa_, prepared);
  kernels_ = std::move(kernels.of_nodes);
  output_channels_last_ = kernels.channels_last[static_cast<std::size_t>(graph_.output)];
  for (const Kernel& kernel : kernels_) {
    shared_values_ = std::max(shared_values_, kernel.shared_values);
    scratch_values_ = std::max(scratch_values_, kernel.scratch_values);
  }
  for (const Node& node : graph_.nodes) {
    most_inputs_ = std::max<std::int64_t>(most_inputs_, std::ssize(node.inputs));
  }
}

void CpuProgram::run(const float* input, float* output, const ExampleMemory& memory,
                     Workers workers, RunObserver* observer) const {
  for (NodeId id = 0; id < static_cast<NodeId>(kernels_.size()); ++id) {
    const auto i = static_cast<std::size_t>(id);
    const std::int64_t offset = plan_.slots[i].offset;
    if (offset < 0) continue;  // the input itself
    const std::vector<NodeId>& nodes = graph_.nodes[i].inputs;
    for (std::size_t k = 0; k < nodes.size(); ++k) {
      memory.inputs[k] = value(nodes[k], input, memory);
    }
    const Buffers buffers = {.inputs = {memory.inputs, nodes.size()},
                             .output = memory.arena + offset,
                             .shared = memory.shared};
    timed(observer, id, kernels_[i].name, [&] { run_kernel(kernels_[i], buffers, workers); });
  }
  timed(observer, graph_.output, "output",
        [&] { give_output(value(graph_.output, input, memory), output); });
}

const float* CpuProgram::value(NodeId id, const float* input, const ExampleMemory& memory) const {
  const std::int64_t offset = plan_.slots[static_cast<std::size_t>(id)].offset;
  return offset < 0 ? input : memory.arena + offset;
}

void CpuProgram::run_kernel(const Kernel& kernel, const Buffers& buffers, Workers workers) const {
  const auto with_scratch = [&buffers](float* scratch) {
    Buffers own = buffers;
    own.scratch = scratch;
    return own;
  };
  if (kernel.run) {
    workers(1, [&](std::int64_t, float* scratch) { kernel.run(with_scratch(scratch)); });
  }
  if (kernel.parts == 0) return;
  workers(kernel.parts,
          [&](std::int64_t part, float* scratch) { kernel.part(with_scratch(scratch), part); });
}

void CpuProgram::give_output(const float* value, float* output) const {
  if (output_channels_last_) {
    fast::to_channels_first(isa_, graph_.output_shape(), value, output);
  } else {
    std::copy_n(value, element_count(graph_.output_shape()), output);
  }
}

}  // namespace tbn::cpu
