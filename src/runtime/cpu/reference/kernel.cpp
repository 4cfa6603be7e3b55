// Which kernel runs which op: an op without one does not compile.
#include "runtime/cpu/reference/kernel.h"

#include "tbn/error.h"

namespace tbn::reference {

namespace {

[[noreturn]] void refuse(const Node& node) {
  TBN_CHECK(false, describe(node) + " should have been refused when the network was loaded");
}

std::span<const float> floats(const TensorMap& tensors, const std::string& name) {
  return tensors.at(name).values<float>();
}

}  // namespace

Kernel make_kernel(const Graph& graph, const TensorMap& tensors, const Node& node) {
  const auto input_shape = [&]() -> const Shape& { return graph.node(node.inputs.front()).shape; };
  return std::visit(
      Overloaded{
          [&](const Input& op) { return make_copy(op.shape); },
          [&](const Normalize& op) { return make_normalize(op, node.shape); },
          [&](const Conv2d&) { return make_conv2d(graph, tensors, node); },
          [&](const Linear&) { return make_linear(graph, tensors, node); },
          [&](const BatchNorm&) -> Kernel { refuse(node); },
          [&](const Affine& op) {
            return make_affine(op, floats(tensors, node.name + ".scale"),
                               floats(tensors, node.name + ".bias"), node.shape);
          },
          [&](const Activation& op) { return make_activation(op.kind, node.shape); },
          [&](const Add& op) { return make_add(op, node.shape); },
          [&](const MaxPool2d& op) { return make_max_pool(op, input_shape(), node.shape); },
          [&](const AvgPool2d& op) { return make_avg_pool(op, input_shape(), node.shape); },
          [&](const GlobalAvgPool&) { return make_global_avg_pool(input_shape()); },
          [&](const Flatten&) { return make_copy(node.shape); },
          [&](const Dropout&) -> Kernel { refuse(node); },
      },
      node.op);
}

}  // namespace tbn::reference
