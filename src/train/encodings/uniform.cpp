// Integers of a few bits times one step size per output, trained by learned step sizes (LSQ, arXiv
// 1902.08153): the weights stay floats, which every step rounds.
//
// What is trained of a step size s is alpha = s Q, Q the highest level (encodings/uniform.h): the
// largest weight that the output can hold. An update of alpha is as large as one of a weight under
// Adam, which does not see how large gradients are; s itself, which is Q times smaller, would
// wander off at the weights' learning rate. It starts where LSQ does, s = 2 <|w|> / sqrt(Q).
// alpha's gradient is dL/ds sqrt(Q / m): under SGD s = alpha / Q then moves as LSQ's does, whose
// gradient is dL/ds / sqrt(m Q).
#include "encodings/uniform.h"

#include <cmath>

#include "train/encodings/float_start.h"
#include "train/encodings/learned_step.h"
#include "train/encodings/rooms.h"

namespace tbn {
namespace {

using torch::Tensor;

class TrainedLevels final : public TrainedWeight {
 public:
  TrainedLevels(std::int64_t bits, const LayerDims& dims, std::span<const NamedTensor> of_node)
      : TrainedWeight(dims, of_node),
        range_{static_cast<double>(lowest_level(bits)), static_cast<double>(highest_level(bits))},
        step_factor_(step_factor(bits)),
        step_gradient_(range_.highest *
                       std::sqrt(range_.highest / static_cast<double>(dims.inputs))) {}

  Tensor dense() const override {
    // As step_of() computes it for the file, to the last bit.
    const Tensor steps = alpha_.abs().clamp_min(kLeastAlpha).mul(step_factor_);
    return round_to_steps(weight_, steps, range_, step_gradient_);
  }

  Tensor start(const NamedTensor& named, const WeightStart& start) const override {
    return named.role == TensorRole::kAlpha ? alpha_start() : float_weight_start(dims(), start);
  }
  Tensor start_bias(const WeightStart& start) const override {
    return float_bias_start(dims(), start);
  }

  void take(const Tensor& w) const override {
    const Tensor steps = nearest_steps(w, range_);
    weight_.copy_(w);
    // Outputs of zeros have no step of their own.
    alpha_.copy_(torch::where(steps > 0, steps, steps.max()) / step_factor_);
  }

 private:
  // 2 <|w|> sqrt(Q); of zeros, what a linear layer has that does not start with them.
  Tensor alpha_start() const {
    const Tensor means = weight_.detach().to(torch::kCPU).abs().flatten(1).mean(1);
    const double of_zeros = 1 / std::sqrt(static_cast<double>(dims().inputs));
    return torch::where(means > 0, 2 * means, of_zeros).mul_(std::sqrt(range_.highest));
  }

  Tensor weight_ = tensor_of(TensorRole::kWeight);
  Tensor alpha_ = tensor_of(TensorRole::kAlpha);
  LevelRange range_;
  double step_factor_;
  double step_gradient_;  // dL/ds's factor: step_factor_ is the other one on the way to alpha
};

class UniformRoom final : public TrainedRoom {
 public:
  std::shared_ptr<const TrainedWeight> make(const WeightEncoding& encoding, const LayerDims& dims,
                                            std::span<const NamedTensor> of_node) const override {
    return std::make_shared<TrainedLevels>(std::get<UniformWeights>(encoding).bits, dims, of_node);
  }
};

}  // namespace

const TrainedRoom& trained_uniform() {
  static const UniformRoom room;
  return room;
}

}  // namespace tbn
