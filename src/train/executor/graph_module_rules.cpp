// Every visit lists all ops: a forgotten one does not compile.
#include "train/executor/graph_module_rules.h"

#include "tbn/error.h"

namespace tbn {

void refuse_packed(const Node& node, const std::string& what) {
  throw ConfigError(
      describe(node) + ": " + what +
      " belongs to packed networks; the trainer runs a network as its builder made it");
}

void check_trainable(const Node& node) {
  const auto check_epilogue = [&](bool scale, ActivationKind activation) {
    if (scale) refuse_packed(node, "a folded scale");
    if (activation != ActivationKind::kNone) refuse_packed(node, "a fused activation");
  };
  std::visit(Overloaded{[&](const Conv2d& op) { check_epilogue(op.scale, op.activation); },
                        [&](const Linear& op) { check_epilogue(op.scale, op.activation); },
                        [&](const Add& op) { check_epilogue(false, op.activation); },
                        [&](const Affine&) { refuse_packed(node, "the op"); },
                        [](const Input&) {},
                        [](const Normalize&) {},
                        [](const BatchNorm&) {},
                        [](const Activation&) {},
                        [](const MaxPool2d&) {},
                        [](const AvgPool2d&) {},
                        [](const GlobalAvgPool&) {},
                        [](const Flatten&) {},
                        [](const Dropout&) {},
                        [](const Pad2d&) {},
                        [](const LayerNorm&) {},
                        [](const Attention&) {},
                        [](const Reshape&) {},
                        [](const Transpose&) {},
                        [](const Concat&) {},
                        [](const Slice&) {},
                        [](const ClassToken&) {},
                        [](const PositionEmbedding&) {},
                        [](const MatMul&) {},
                        [](const AddIdentity&) {},
                        [](const SequencePool&) {},
                        [](const Expand&) {},
                        [](const MovingAverage&) {},
                        [](const Subtract&) {},
                        [](const Multiply&) {}},
             node.op);
}

bool may_overwrite(const Op& op) {
  const auto is_float = [](const WeightEncoding& weights) {
    return std::holds_alternative<FloatWeights>(weights);
  };
  return std::visit(
      Overloaded{[](const Input&) { return false; },
                 [](const Normalize&) { return false; },
                 [&](const Conv2d& conv) { return is_float(conv.weights); },
                 [&](const Linear& linear) { return is_float(linear.weights); },
                 [](const BatchNorm&) { return true; },
                 [](const Affine&) { return false; },
                 [](const Activation&) { return false; },
                 [](const Add&) { return true; },
                 [](const MaxPool2d&) { return false; },
                 [](const AvgPool2d&) { return false; },
                 [](const GlobalAvgPool&) { return false; },
                 [](const Flatten&) { return false; },
                 [](const Dropout&) { return false; },
                 [](const Pad2d&) { return false; },
                 [](const LayerNorm&) { return true; },
                 [](const Attention&) { return false; },
                 [](const Reshape&) { return false; },
                 [](const Transpose&) { return false; },
                 [](const Concat&) { return true; },
                 [](const Slice&) { return false; },
                 [](const ClassToken&) { return true; },
                 [](const PositionEmbedding&) { return true; },
                 [](const MatMul&) { return true; },
                 [](const AddIdentity&) { return false; },  // kept for the orthogonal penalty
                 [](const SequencePool&) { return false; },
                 [](const Expand&) { return false; },
                 [](const MovingAverage&) { return false; },
                 [](const Subtract&) { return true; },
                 [](const Multiply&) { return true; }},
      op);
}

}  // namespace tbn
