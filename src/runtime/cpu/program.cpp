// Runs the kernels of a network in order.
#include "runtime/cpu/reference/program.h"

#include <algorithm>

namespace tbn::reference {

Program::Program(const Graph& graph, const TensorMap& tensors)
    : graph_(graph), plan_(plan_memory(graph)) {
  for (const Node& node : graph.nodes) {
    kernels_.push_back(make_kernel(graph, tensors, node));
    scratch_values_ = std::max(scratch_values_, kernels_.back().scratch_values);
  }
}

void Program::run(const float* input, float* output, float* arena, float* scratch) const {
  const auto value = [&](NodeId id) -> const float* {
    const std::int64_t offset = plan_.slots[static_cast<std::size_t>(id)].offset;
    return offset < 0 ? input : arena + offset;
  };
  std::vector<const float*> inputs;
  for (std::size_t i = 0; i < kernels_.size(); ++i) {
    const std::int64_t offset = plan_.slots[i].offset;
    if (offset < 0) continue;  // the input itself
    inputs.clear();
    for (const NodeId id : graph_.nodes[i].inputs) inputs.push_back(value(id));
    kernels_[i].run({.inputs = inputs, .output = arena + offset, .scratch = scratch});
  }
  std::copy_n(value(graph_.output), element_count(graph_.output_shape()), output);
}

}  // namespace tbn::reference
