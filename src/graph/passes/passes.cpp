// The list of export passes and the way through all of them.
#include "graph/passes/passes.h"

#include "base/finite.h"
#include "tbn/error.h"

namespace tbn {

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
  check_finite(trained.tensors, "trained model",
               "the training diverged, and there is nothing to export; lower the learning rate or "
               "take an earlier checkpoint");
  Model model = std::move(trained);
  for (const ExportPass& pass : export_passes()) pass.run(model);
  validate(model.graph);
  check_tensors(model.graph, model.tensors, packed_tensors, "packed model");
  return model;
}

}  // namespace tbn
