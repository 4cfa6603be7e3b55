// The list of export passes and the way through all of them.
#include "graph/passes/passes.h"

#include <cmath>

#include "base/text.h"
#include "tbn/error.h"

namespace tbn {

namespace {

void check_finite(const TensorMap& tensors) {
  for (const auto& [name, tensor] : tensors) {
    if (tensor.dtype() != DType::kF32) continue;
    for (const float value : tensor.values<float>()) {
      if (std::isfinite(value)) continue;
      throw DataError("tensor " + in_quotes(name) + " holds " + std::to_string(value) +
                      ": the training diverged, and there is nothing to export; lower the "
                      "learning rate or take an earlier checkpoint");
    }
  }
}

}  // namespace

const std::vector<ExportPass>& export_passes() {
  static const std::vector<ExportPass> passes = {
      {"drop_training_ops", "removes what acts in training only", drop_training_ops},
      {"pack_tiles", "turns latents into tile bits and scalars", pack_tiles},
      {"fold_norms", "turns batch norms into scale and bias", fold_norms},
      {"fuse_activations", "moves activations into the op before", fuse_activations},
  };
  return passes;
}

Model pack_model(Model trained) {
  validate(trained.graph);
  check_tensors(trained.graph, trained.tensors, training_tensors, "trained model");
  check_finite(trained.tensors);
  Model model = std::move(trained);
  for (const ExportPass& pass : export_passes()) pass.run(model);
  validate(model.graph);
  check_tensors(model.graph, model.tensors, packed_tensors, "packed model");
  return model;
}

}  // namespace tbn
