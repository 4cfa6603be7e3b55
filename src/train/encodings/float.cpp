// Float weights: the parameter is what the layer computes with.
#include <cmath>

#include "train/encodings/float_start.h"
#include "train/encodings/rooms.h"

namespace tbn {
namespace {

using torch::Tensor;

class TrainedFloat final : public TrainedWeight {
 public:
  using TrainedWeight::TrainedWeight;

  Tensor dense() const override { return weight_; }
  Tensor start(const NamedTensor& /*weight*/, const WeightStart& start) const override {
    return float_weight_start(dims(), start);
  }
  Tensor start_bias(const WeightStart& start) const override {
    return float_bias_start(dims(), start);
  }
  void take(const Tensor& w) const override { weight_.copy_(w); }

 private:
  Tensor weight_ = tensor_of(TensorRole::kWeight);
};

class FloatRoom final : public TrainedRoom {
 public:
  std::shared_ptr<const TrainedWeight> make(const WeightEncoding& /*encoding*/,
                                            const LayerDims& dims,
                                            std::span<const NamedTensor> of_node) const override {
    return std::make_shared<TrainedFloat>(dims, of_node);
  }
};

bool is_conv(const LayerDims& dims) { return dims.weight.size() == 4; }

// As LibTorch draws a linear layer and its bias.
Tensor linear_start(const LayerDims& dims, at::IntArrayRef sizes, const WeightStart& start) {
  if (start.at_zero) return torch::zeros(sizes);
  return start.uniform(sizes, 1 / std::sqrt(static_cast<double>(dims.inputs)));
}

}  // namespace

Tensor float_weight_start(const LayerDims& dims, const WeightStart& start) {
  if (!is_conv(dims)) return linear_start(dims, dims.weight, start);
  const auto fan_out = static_cast<double>(dims.outputs * dims.weight[2] * dims.weight[3]);
  return start.normal(dims.weight, std::sqrt(2 / fan_out));
}

Tensor float_bias_start(const LayerDims& dims, const WeightStart& start) {
  return is_conv(dims) ? torch::zeros({dims.outputs}) : linear_start(dims, {dims.outputs}, start);
}

const TrainedRoom& trained_float() {
  static const FloatRoom room;
  return room;
}

}  // namespace tbn
