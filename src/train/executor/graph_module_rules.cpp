// What the table of traits (graph/op_traits.h) means to the executor.
#include "train/executor/graph_module_rules.h"

#include "graph/op_traits.h"
#include "tbn/error.h"
#include "train/encodings/trained_weight.h"

namespace tbn {

void refuse_packed(const Node& node, const std::string& what) {
  throw ConfigError(
      describe(node) + ": " + what +
      " belongs to packed networks; the trainer runs a network as its builder made it");
}

void check_trainable(const Node& node) {
  if (traits_of(node.op).use == OpUse::kPackedOnly) refuse_packed(node, "the op");
  std::visit(
      [&](const auto& op) {
        if constexpr (requires { op.scale; }) {
          if (op.scale) refuse_packed(node, "a folded scale");
        }
        if constexpr (requires { op.activation; }) {
          if (op.activation != ActivationKind::kNone) refuse_packed(node, "a fused activation");
        }
      },
      node.op);
}

bool may_overwrite(const Op& op) {
  const WeightEncoding* weights = weights_of(op);
  return traits_of(op).overwritable &&
         (weights == nullptr || trained_room(*weights).overwritable());
}

}  // namespace tbn
