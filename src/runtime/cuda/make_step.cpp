// Which step runs which op.
#include "runtime/cuda/make_step.h"

#include <algorithm>

#include "runtime/cpu/reference/kernel.h"
#include "tbn/error.h"

namespace tbn::cuda {
namespace {

class Maker {
 public:
  Maker(const NetworkContext& context, const Node& node, const std::vector<bool>& last)
      : context_(context), steps_(context.steps), node_(node), shape_(node.shape) {
    any_last_ = std::any_of(node.inputs.begin(), node.inputs.end(),
                            [&](NodeId id) { return last[static_cast<std::size_t>(id)]; });
  }

  // One a kind of op; each says in which order it takes and gives images.
  Made operator()(const Input&) const { refuse(); }
  Made operator()(const BatchNorm&) const { refuse(); }
  Made operator()(const Dropout&) const { refuse(); }

  Made operator()(const Conv2d&) const { return layer(true); }
  Made operator()(const Linear&) const { return layer(false); }

  Made operator()(const Normalize& op) const {
    return any(make_normalize(steps_, op, shape_, any_last_));
  }
  Made operator()(const Affine& op) const {
    return any(make_affine(steps_, op, own("scale"), own("bias"), shape_, any_last_));
  }
  Made operator()(const Activation& op) const {
    return any(make_activation(steps_, op.kind, shape_));
  }
  Made operator()(const Add& op) const { return any(make_add(steps_, op.activation, shape_)); }
  Made operator()(const Subtract&) const { return any(make_subtract(steps_, shape_)); }
  Made operator()(const Multiply&) const { return any(make_multiply(steps_, shape_)); }
  Made operator()(const Concat& op) const {
    std::vector<Shape> inputs;
    for (const NodeId id : node_.inputs) inputs.push_back(context_.graph.node(id).shape);
    return any(make_concat(steps_, op, inputs, any_last_));
  }
  Made operator()(const Slice& op) const { return any(make_slice(steps_, op, input(), any_last_)); }

  Made operator()(const MaxPool2d& op) const {
    return {make_max_pool(steps_, op, input(), shape_), true, true};
  }
  Made operator()(const AvgPool2d& op) const {
    return {make_avg_pool(steps_, op, input(), shape_), true, true};
  }
  Made operator()(const Pad2d& op) const {
    return {make_pad2d(steps_, op, input(), shape_), true, true};
  }
  Made operator()(const GlobalAvgPool&) const {
    return {make_global_avg_pool(steps_, input()), true, false};
  }

  Made operator()(const Flatten&) const { return {make_identity(steps_, shape_)}; }
  Made operator()(const Reshape&) const { return {make_identity(steps_, shape_)}; }
  Made operator()(const Transpose&) const { return {make_transpose(steps_, input())}; }
  Made operator()(const LayerNorm& op) const {
    return {make_layer_norm(steps_, op, own("weight"), own("bias"), shape_)};
  }
  Made operator()(const Attention& op) const {
    const auto bias = op.relative_bias ? own("relative_bias") : std::span<const float>();
    return {make_attention(steps_, op, bias, node_.inputs.size(), shape_)};
  }
  Made operator()(const ClassToken&) const {
    return {make_class_token(steps_, own("token"), input())};
  }
  Made operator()(const PositionEmbedding& op) const {
    if (op.kind == PositionKind::kLearned) {
      return {make_position_embedding(steps_, own("table"), shape_)};
    }
    return {
        make_position_embedding(steps_, reference::sinusoidal_table(shape_[0], shape_[1]), shape_)};
  }
  Made operator()(const MatMul&) const {
    return {make_matmul(steps_, input(), context_.graph.node(node_.inputs.back()).shape)};
  }
  Made operator()(const AddIdentity&) const { return {make_add_identity(steps_, shape_)}; }
  Made operator()(const SequencePool& op) const {
    return {make_sequence_pool(steps_, op, input())};
  }
  Made operator()(const Expand& op) const { return {make_expand(steps_, op, input())}; }
  Made operator()(const MovingAverage& op) const {
    return {make_moving_average(steps_, op, shape_)};
  }

 private:
  [[noreturn]] void refuse() const {
    TBN_CHECK(false, describe(node_) + " has no step of its own");
  }
  const Shape& input() const { return context_.graph.node(node_.inputs[0]).shape; }
  std::span<const float> own(const char* tensor) const {
    return context_.tensors.at(node_.name + "." + tensor).values<float>();
  }
  // In whichever order one of the inputs has.
  Made any(Step step) const { return {std::move(step), any_last_, any_last_}; }
  Made layer(bool last) const {
    auto layer = std::make_unique<LayerRunner>(context_.graph, context_.tensors, node_,
                                               context_.layers, context_.device);
    const LayerRunner* runner = layer.get();
    Step step = {
        .run = [runner](const Call& call) { runner->run(call); },
        .workspace_bytes = [runner](std::int64_t b) { return runner->workspace_bytes(b); }};
    return {std::move(step), last, last, std::move(layer)};
  }

  const NetworkContext& context_;
  const StepContext& steps_;
  const Node& node_;
  const Shape& shape_;
  bool any_last_;
};

}  // namespace

Made make_step(const NetworkContext& context, const Node& node, const std::vector<bool>& last) {
  return std::visit(Maker(context, node, last), node.op);
}

}  // namespace tbn::cuda
