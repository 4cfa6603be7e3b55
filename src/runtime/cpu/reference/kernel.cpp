// Which kernel runs which op: an op without one does not compile.
#include "runtime/cpu/reference/kernel.h"

#include "tbn/error.h"

namespace tbn::reference {

namespace {

[[noreturn]] void refuse(const Node& node) {
  TBN_CHECK(false, describe(node) + " should have been refused when the network was loaded");
}

std::vector<Shape> input_shapes(const Graph& graph, const Node& node) {
  std::vector<Shape> shapes;
  shapes.reserve(node.inputs.size());
  for (const NodeId input : node.inputs) shapes.push_back(graph.node(input).shape);
  return shapes;
}

}  // namespace

Kernel make_kernel(const Graph& graph, const TensorMap& tensors, const Node& node,
                   const RowsOf& rows_of) {
  const auto input_shape = [&]() -> const Shape& { return graph.node(node.inputs.front()).shape; };
  const auto own = [&](const char* tensor) -> std::span<const float> {
    return tensors.at(node.name + "." + tensor).values<float>();
  };
  return std::visit(
      Overloaded{
          [&](const Input& op) { return make_copy(op.shape); },
          [&](const Normalize& op) { return make_normalize(op, node.shape); },
          [&](const Conv2d&) { return make_conv2d(graph, tensors, node, rows_of); },
          [&](const Linear&) { return make_linear(graph, tensors, node, rows_of); },
          [&](const BatchNorm&) -> Kernel { refuse(node); },
          [&](const Affine& op) { return make_affine(op, own("scale"), own("bias"), node.shape); },
          [&](const Activation& op) { return make_activation(op.kind, node.shape); },
          [&](const Add& op) { return make_add(op, node.shape); },
          [&](const MaxPool2d& op) { return make_max_pool(op, input_shape(), node.shape); },
          [&](const AvgPool2d& op) { return make_avg_pool(op, input_shape(), node.shape); },
          [&](const GlobalAvgPool&) { return make_global_avg_pool(input_shape()); },
          [&](const Flatten&) { return make_copy(node.shape); },
          [&](const Dropout&) -> Kernel { refuse(node); },
          [&](const Pad2d& op) { return make_pad2d(op, input_shape(), node.shape); },
          [&](const LayerNorm& op) {
            return make_layer_norm(op, own("weight"), own("bias"), node.shape);
          },
          [&](const Attention& op) {
            const auto bias = op.relative_bias ? own("relative_bias") : std::span<const float>();
            return make_attention(op, bias, node.inputs.size(), node.shape);
          },
          [&](const Reshape&) { return make_copy(node.shape); },
          [&](const Transpose&) { return make_transpose(input_shape()); },
          [&](const Concat& op) { return make_concat(op, input_shapes(graph, node)); },
          [&](const Slice& op) { return make_slice(op, input_shape()); },
          [&](const ClassToken&) { return make_class_token(own("token"), input_shape()); },
          [&](const PositionEmbedding& op) {
            const bool learned = op.kind == PositionKind::kLearned;
            return make_position_embedding(learned ? own("table") : std::span<const float>(),
                                           node.shape);
          },
          [&](const MatMul&) {
            return make_matmul(input_shape(), graph.node(node.inputs.back()).shape);
          },
          [&](const AddIdentity&) { return make_add_identity(node.shape); },
          [&](const SequencePool& op) { return make_sequence_pool(op, input_shape()); },
          [&](const Expand& op) { return make_expand(op, input_shape()); },
          [&](const MovingAverage& op) { return make_moving_average(op, node.shape); },
          [&](const Subtract&) { return make_subtract(node.shape); },
          [&](const Multiply&) { return make_multiply(node.shape); },
      },
      node.op);
}

}  // namespace tbn::reference
