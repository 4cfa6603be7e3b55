// Copies of ops, names of ops and activations, and which ops have weights or take in an activation.
#include "tbn/ops.h"

#include "graph/op_traits.h"

namespace tbn {

Op::Op(const Op& other) = default;
Op::Op(Op&& other) noexcept = default;
Op& Op::operator=(const Op& other) = default;
Op& Op::operator=(Op&& other) noexcept = default;
Op::~Op() = default;
bool Op::operator==(const Op& other) const {
  return static_cast<const OpVariant&>(*this) == static_cast<const OpVariant&>(other);
}

const OpTraits& traits_of(const Op& op) {
  return std::visit(
      [](const auto& o) -> const OpTraits& { return kOpRow<std::decay_t<decltype(o)>>.traits; },
      op);
}

std::string_view op_name(const Op& op) { return traits_of(op).name; }

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

ActivationKind* epilogue_of(Op& op) {
  return std::visit(
      [](auto& o) -> ActivationKind* {
        if constexpr (requires { o.activation; }) {
          return &o.activation;
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
