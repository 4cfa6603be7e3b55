// What holds for every encoding: its layers multiply the dense weight.
#include "train/encodings/trained_weight.h"

#include <algorithm>

#include "tbn/error.h"

namespace tbn {

using torch::Tensor;

Tensor WeightStart::uniform(at::IntArrayRef sizes, double bound) const {
  return torch::empty(sizes).uniform_(-bound, bound, generator);
}

Tensor WeightStart::normal(at::IntArrayRef sizes, double std) const {
  return torch::empty(sizes).normal_(0, std, generator);
}

TrainedWeight::TrainedWeight(LayerDims dims, std::span<const NamedTensor> of_node)
    : dims_(std::move(dims)) {
  std::copy_if(of_node.begin(), of_node.end(), std::back_inserter(tensors_),
               [](const NamedTensor& named) { return named.role != TensorRole::kBias; });
}

Tensor TrainedWeight::linear(const Tensor& x, const Tensor& bias) const {
  return at::linear(x, dense(), bias);
}

Tensor TrainedWeight::conv2d(const Tensor& x, const Tensor& bias,
                             const ConvGeometry& geometry) const {
  return at::conv2d(x, dense(), bias, geometry.stride, geometry.padding, {1, 1}, geometry.groups);
}

Tensor TrainedWeight::conv2d_norm(const Tensor&, const ConvGeometry&, const MapPool&,
                                  const NormState&, bool, const Tensor&, bool) const {
  TBN_CHECK(false, dims_.where + ": its encoding takes no norm in");
}

Tensor TrainedWeight::start_bias(const WeightStart&) const { return torch::zeros({dims_.outputs}); }

Tensor TrainedWeight::tensor_of(TensorRole role) const {
  for (const NamedTensor& named : tensors_) {
    if (named.role == role) return named.tensor;
  }
  return {};
}

}  // namespace tbn
