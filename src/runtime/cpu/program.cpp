// Runs the kernels of a network in order.
#include "runtime/cpu/program.h"

#include <algorithm>

#include "runtime/cpu/fast/kernel.h"
#include "runtime/cpu/reference/kernel.h"
#include "tbn/error.h"

namespace tbn::cpu {
namespace {

fast::Kernels make_kernels(const Graph& graph, const TensorMap& tensors, Backend backend,
                           const fast::Isa& isa) {
  const auto fast_kernels = [&](fast::Precision precision) {
    return fast::make_kernels(graph, tensors, precision, isa);
  };
  switch (backend) {
    case Backend::kReference: {
      fast::Kernels kernels{.channels_last = std::vector<bool>(graph.nodes.size(), false)};
      for (const Node& node : graph.nodes) {
        kernels.of_nodes.push_back(reference::make_kernel(graph, tensors, node));
      }
      return kernels;
    }
    case Backend::kExact:
      return fast_kernels(fast::Precision::kExact);
    case Backend::kInt8:
      return fast_kernels(fast::Precision::kBytes);
  }
  TBN_CHECK(false, "not a backend");
}

}  // namespace

Program::Program(const Graph& graph, const TensorMap& tensors, Backend backend,
                 const fast::Isa* isa)
    : graph_(graph),
      isa_(isa != nullptr ? *isa : fast::usable_isas().front()),
      plan_(plan_memory(graph)) {
  fast::Kernels kernels = make_kernels(graph, tensors, backend, isa_);
  kernels_ = std::move(kernels.of_nodes);
  output_channels_last_ = kernels.channels_last[static_cast<std::size_t>(graph.output)];
  for (const Kernel& kernel : kernels_) {
    shared_values_ = std::max(shared_values_, kernel.shared_values);
    scratch_values_ = std::max(scratch_values_, kernel.scratch_values);
  }
}

void Program::run(const float* input, float* output, const ExampleMemory& memory,
                  const Workers& workers) const {
  const auto value = [&](NodeId id) -> const float* {
    const std::int64_t offset = plan_.slots[static_cast<std::size_t>(id)].offset;
    return offset < 0 ? input : memory.arena + offset;
  };
  std::vector<const float*> inputs;
  for (std::size_t i = 0; i < kernels_.size(); ++i) {
    const std::int64_t offset = plan_.slots[i].offset;
    if (offset < 0) continue;  // the input itself
    inputs.clear();
    for (const NodeId id : graph_.nodes[i].inputs) inputs.push_back(value(id));
    const Kernel& kernel = kernels_[i];
    Buffers buffers = {.inputs = inputs, .output = memory.arena + offset, .shared = memory.shared};
    if (kernel.run) {
      workers(1, [&](std::int64_t, float* scratch) {
        buffers.scratch = scratch;
        kernel.run(buffers);
      });
    }
    if (kernel.parts == 0) continue;
    workers(kernel.parts, [&](std::int64_t part, float* scratch) {
      Buffers own = buffers;
      own.scratch = scratch;
      kernel.part(own, part);
    });
  }
  if (output_channels_last_) {
    fast::to_channels_first(isa_, graph_.output_shape(), value(graph_.output), output);
  } else {
    std::copy_n(value(graph_.output), element_count(graph_.output_shape()), output);
  }
}

}  // namespace tbn::cpu
