// Families are told by their names and options, composed networks by their layers.
#include "config/model_use.h"

#include <algorithm>

#include "tbn/layers.h"

namespace tbn {
namespace {

template <class Wanted>
bool any_op(const LayerList& layers, const Wanted& wanted) {
  return std::ranges::any_of(layers, [&](const LayerSpec& layer) {
    if (layer.kind == LayerKind::kOp && wanted(layer.op)) return true;
    return std::ranges::any_of(layer.branches,
                               [&](const LayerList& branch) { return any_op(branch, wanted); });
  });
}

// The layers of a composed network; null: it is of a family.
const LayerList* layers_of(const ModelConfig& model) {
  const auto found = model.options.find("layers");
  return found == model.options.end() ? nullptr : std::get_if<LayerList>(&found->second);
}

}  // namespace

bool has_convolutions(const ModelConfig& model) {
  if (const LayerList* layers = layers_of(model)) {
    return any_op(*layers, [](const Op& op) { return std::holds_alternative<Conv2d>(op); });
  }
  return model.type != "mlp" && !model.type.starts_with("pointnet") &&
         !model.type.starts_with("series_") && model.type != "itransformer" &&
         model.type != "dlinear" && model.type != "tsmixer";
}

bool has_orthogonal_transforms(const ModelConfig& model) {
  if (const LayerList* layers = layers_of(model)) {
    return any_op(*layers, [](const Op& op) {
      const auto* transform = std::get_if<AddIdentity>(&op);
      return transform != nullptr && transform->orthogonal;
    });
  }
  const auto found = model.options.find("feature_transform");
  const bool* learned = found == model.options.end() ? nullptr : std::get_if<bool>(&found->second);
  return learned != nullptr && *learned;
}

}  // namespace tbn
