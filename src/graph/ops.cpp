// Names of ops and activations, and which ops have weights.
#include "tbn/ops.h"

namespace tbn {

std::string_view op_name(const Op& op) {
  return std::visit(Overloaded{
                        [](const Input&) { return "input"; },
                        [](const Normalize&) { return "normalize"; },
                        [](const Conv2d&) { return "conv2d"; },
                        [](const Linear&) { return "linear"; },
                        [](const BatchNorm&) { return "batch_norm"; },
                        [](const Affine&) { return "affine"; },
                        [](const Activation&) { return "activation"; },
                        [](const Add&) { return "add"; },
                        [](const MaxPool2d&) { return "max_pool2d"; },
                        [](const AvgPool2d&) { return "avg_pool2d"; },
                        [](const GlobalAvgPool&) { return "global_avg_pool"; },
                        [](const Flatten&) { return "flatten"; },
                        [](const Dropout&) { return "dropout"; },
                        [](const Pad2d&) { return "pad2d"; },
                        [](const LayerNorm&) { return "layer_norm"; },
                        [](const Attention&) { return "attention"; },
                        [](const Reshape&) { return "reshape"; },
                        [](const Transpose&) { return "transpose"; },
                        [](const Concat&) { return "concat"; },
                        [](const Slice&) { return "slice"; },
                        [](const ClassToken&) { return "class_token"; },
                        [](const PositionEmbedding&) { return "position_embedding"; },
                        [](const MatMul&) { return "matmul"; },
                        [](const AddIdentity&) { return "add_identity"; },
                        [](const SequencePool&) { return "sequence_pool"; },
                        [](const Expand&) { return "expand"; },
                        [](const MovingAverage&) { return "moving_average"; },
                        [](const Subtract&) { return "subtract"; },
                        [](const Multiply&) { return "multiply"; },
                    },
                    op);
}

std::string_view to_string(ActivationKind kind) {
  switch (kind) {
    case ActivationKind::kNone:
      return "none";
    case ActivationKind::kRelu:
      return "relu";
    case ActivationKind::kGelu:
      return "gelu";
    case ActivationKind::kSilu:
      return "silu";
    case ActivationKind::kTanh:
      return "tanh";
    case ActivationKind::kSigmoid:
      return "sigmoid";
  }
  return "";
}

std::string_view to_string(PositionKind kind) {
  return kind == PositionKind::kLearned ? "learned" : "sinusoidal";
}

std::string_view to_string(PoolKind kind) { return kind == PoolKind::kMax ? "max" : "mean"; }

namespace {

template <class OpT>
constexpr bool kHasWeights = requires(OpT op) {
  op.weights;
};

}  // namespace

const WeightEncoding* weights_of(const Op& op) {
  return std::visit(
      [](const auto& o) -> const WeightEncoding* {
        if constexpr (kHasWeights<std::decay_t<decltype(o)>>) {
          return &o.weights;
        } else {
          return nullptr;
        }
      },
      op);
}

WeightEncoding* weights_of(Op& op) {
  return const_cast<WeightEncoding*>(weights_of(static_cast<const Op&>(op)));
}

}  // namespace tbn
