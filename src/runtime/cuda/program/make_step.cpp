// Which step runs which op.
#include "runtime/cuda/program/make_step.h"

#include <algorithm>

#include "runtime/plan/sinusoidal.h"
#include "tbn/error.h"

namespace tbn::cuda {
namespace {

// Whether a reshape leaves the first dimension as it is: then it may as well be the last.
bool keeps_first(const Shape& from, const Shape& to) {
  return from[0] == to[0] && from.size() > 1 && to.size() > 1;
}

// Whether the value of a node, [C, T], only becomes images [C, H, W].
bool becomes_images(const Graph& graph, NodeId id) {
  if (id == graph.output) return false;
  const Shape& shape = graph.node(id).shape;
  return std::all_of(graph.nodes.begin(), graph.nodes.end(), [&](const Node& reader) {
    if (std::find(reader.inputs.begin(), reader.inputs.end(), id) == reader.inputs.end()) {
      return true;
    }
    return std::holds_alternative<Reshape>(reader.op) && is_image(reader.shape) &&
           keeps_first(shape, reader.shape);
  });
}

class Maker {
 public:
  Maker(const NetworkContext& context, NodeId id, const std::vector<bool>& last)
      : context_(context),
        steps_(context.steps),
        id_(id),
        node_(context.graph.node(id)),
        shape_(node_.shape) {
    any_last_ = std::any_of(node_.inputs.begin(), node_.inputs.end(),
                            [&](NodeId input) { return last[static_cast<std::size_t>(input)]; });
  }

  // One a kind of op; each says in which order it takes and gives images.
  Made operator()(const Input&) const { refuse(); }
  Made operator()(const BatchNorm&) const { refuse(); }
  Made operator()(const Dropout&) const { refuse(); }

  Made operator()(const Conv2d&) const { return layer(true); }
  Made operator()(const Linear&) const { return layer(false); }

  Made operator()(const Normalize& op) const {
    return any(make_normalize(steps_, op, shape_, images_last()));
  }
  Made operator()(const Affine& op) const {
    return any(make_affine(steps_, op, own("scale"), own("bias"), shape_, images_last()));
  }
  Made operator()(const Activation& op) const {
    Made made = any(make_activation(steps_, op.kind, shape_));
    made.identity = op.kind == ActivationKind::kNone;
    return made;
  }
  Made operator()(const Add& op) const { return any(make_add(steps_, op.activation, shape_)); }
  Made operator()(const Subtract&) const { return any(make_subtract(steps_, shape_)); }
  Made operator()(const Multiply&) const { return any(make_multiply(steps_, shape_)); }
  Made operator()(const Concat& op) const {
    std::vector<Shape> inputs;
    inputs.reserve(node_.inputs.size());
    for (const NodeId id : node_.inputs) inputs.push_back(context_.graph.node(id).shape);
    return any(make_concat(steps_, op, inputs, images_last()));
  }
  Made operator()(const Slice& op) const {
    return any(make_slice(steps_, op, input(), images_last()));
  }

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

  Made operator()(const Flatten&) const { return identity(false, false); }
  Made operator()(const Reshape&) const {
    const bool last = any_last_ && keeps_first(input(), shape_);
    return identity(last, last);
  }
  // From an image to tokens and back nothing moves: both have the channels last.
  Made operator()(const Transpose&) const {
    const bool sequence = shape_.size() == 2;
    if (sequence && any_last_) return identity(true, false);
    if (sequence && becomes_images(context_.graph, id_)) return identity(false, true);
    return {make_transpose(steps_, input())};
  }
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
    return {make_position_embedding(steps_, sinusoidal_table(shape_[0], shape_[1]), shape_)};
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
  // Images in whichever order one of them has.
  bool images_last() const { return any_last_ && is_image(shape_); }
  Made any(DeviceStep step) const { return {std::move(step), images_last(), images_last()}; }
  Made identity(bool takes_last, bool gives_last) const {
    return {make_identity(steps_, shape_), takes_last, gives_last, true};
  }
  Made layer(bool last) const {
    auto layer = std::make_unique<LayerRunner>(context_.graph, context_.tensors, node_,
                                               steps_.options, steps_.device);
    const LayerRunner* runner = layer.get();
    DeviceStep step = {
        .run = [runner](const Call& call) { runner->run(call); },
        .workspace_bytes = [runner](std::int64_t b) { return runner->workspace_bytes(b); }};
    return {std::move(step), last, last, false, std::move(layer)};
  }

  const NetworkContext& context_;
  const StepContext& steps_;
  NodeId id_;
  const Node& node_;
  const Shape& shape_;
  bool any_last_;
};

}  // namespace

Made make_step(const NetworkContext& context, NodeId id, const std::vector<bool>& last) {
  return std::visit(Maker(context, id, last), context.graph.node(id).op);
}

}  // namespace tbn::cuda
