// Chooses the kernel of a node.
#include "runtime/cpu/exact/kernel.h"

#include <cstdint>

#include "runtime/cpu/reference/kernel.h"

namespace tbn::exact {
namespace {

// The most values that the tables of one input row of a convolution, or of a vector, may take (64
// MiB): what a small hostile file can make us ask for. It fits 32-bit offsets too.
constexpr std::int64_t kMaxTableValues = std::int64_t{1} << 24;

bool fits(const Graph& graph, const Node& node, const Isa& isa) {
  const Shape& input = graph.node(node.inputs.front()).shape;
  const auto* conv = std::get_if<Conv2d>(&node.op);
  const std::int64_t channels = conv != nullptr ? input.front() : input.back();
  const std::int64_t a_place = groups_of(isa, channels) * isa.table;
  const std::int64_t most = kMaxTableValues / a_place;
  if (conv == nullptr) return most > 0;
  const std::int64_t width = input.back() + 2 * conv->padding.w;
  return width <= most && conv->kernel.h <= most / width;
}

}  // namespace

float* aligned(float* scratch) {
  constexpr std::uintptr_t kLine = kLineValues * sizeof(float);
  const auto address = reinterpret_cast<std::uintptr_t>(scratch);
  return scratch + (kLine - address % kLine) % kLine / sizeof(float);
}

cpu::Kernel make_kernel(const Graph& graph, const TensorMap& tensors, const Node& node,
                        const Isa* isa) {
  if (isa != nullptr && reuses_rows(graph, node) && fits(graph, node, *isa)) {
    const auto* conv = std::get_if<Conv2d>(&node.op);
    if (conv == nullptr) return make_linear(graph, tensors, node, *isa);
    if (conv->groups == 1) return make_conv2d(graph, tensors, node, *isa);
  }
  return reference::make_kernel(graph, tensors, node);
}

cpu::Kernel make_kernel(const Graph& graph, const TensorMap& tensors, const Node& node) {
  return make_kernel(graph, tensors, node, best_isa());
}

}  // namespace tbn::exact
