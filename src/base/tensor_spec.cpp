// Names of the roles of tensors.
#include "tbn/tensor_spec.h"

namespace tbn {

bool is_buffer(TensorRole role) {
  return role == TensorRole::kRunningMean || role == TensorRole::kRunningVar;
}

std::string_view to_string(TensorRole role) {
  switch (role) {
    case TensorRole::kWeight:
      return "weight";
    case TensorRole::kLatent:
      return "latent";
    case TensorRole::kAlphaLatent:
      return "alpha_latent";
    case TensorRole::kAlpha:
      return "alpha";
    case TensorRole::kBias:
      return "bias";
    case TensorRole::kNormWeight:
      return "norm_weight";
    case TensorRole::kNormBias:
      return "norm_bias";
    case TensorRole::kEmbedding:
      return "embedding";
    case TensorRole::kRunningMean:
      return "running_mean";
    case TensorRole::kRunningVar:
      return "running_var";
    case TensorRole::kTile:
      return "tile";
    case TensorRole::kLevels:
      return "levels";
    case TensorRole::kScale:
      return "scale";
  }
  return "";
}

}  // namespace tbn
