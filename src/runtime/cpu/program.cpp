// Runs the kernels of a network in order.
#include "runtime/cpu/program.h"

#include <algorithm>

#include "runtime/cpu/exact/kernel.h"
#include "runtime/cpu/reference/kernel.h"
#include "tbn/error.h"

namespace tbn::cpu {
namespace {

Kernel make_kernel(const Graph& graph, const TensorMap& tensors, const Node& node,
                   Backend backend) {
  switch (backend) {
    case Backend::kReference:
      return reference::make_kernel(graph, tensors, node);
    case Backend::kExact:
      return exact::make_kernel(graph, tensors, node);
  }
  TBN_CHECK(false, "not a backend");
}

}  // namespace

Program::Program(const Graph& graph, const TensorMap& tensors, Backend backend)
    : graph_(graph), plan_(plan_memory(graph)) {
  for (const Node& node : graph.nodes) {
    kernels_.push_back(make_kernel(graph, tensors, node, backend));
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

}  // namespace tbn::cpu
