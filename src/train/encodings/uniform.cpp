// Integers of a few bits times one step size per output, trained by learned step sizes (LSQ): the
// weights stay floats, which every step rounds.
//
// What is trained of a step size s is alpha = s sqrt(Q), Q the highest level (encodings/uniform.h).
// LSQ begins at s = 2 <|w|> / sqrt(Q), so at alpha = 2 <|w|>: of the weights' own size, whatever
// the bits, and Adam, which does not see how large gradients are, moves both alike. alpha's
// gradient is dL/ds / sqrt(m): under SGD s moves as LSQ's does, whose gradient is dL/ds / sqrt(m
// Q).
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
        step_factor_(step_factor(bits)) {}

  Tensor dense() const override {
    // As step_of() computes it for the file, to the last bit.
    const Tensor steps = alpha_.abs().clamp_min(kLeastAlpha).mul(step_factor_);
    return round_to_steps(weight_, steps, range_,
                          std::sqrt(range_.highest / static_cast<double>(dims().inputs)));
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
  // 2 <|w|>; of zeros, what a linear layer has that does not start with them.
  Tensor alpha_start() const {
    const Tensor means = weight_.detach().to(torch::kCPU).abs().flatten(1).mean(1);
    return torch::where(means > 0, 2 * means, 1 / std::sqrt(static_cast<double>(dims().inputs)));
  }

  Tensor weight_ = tensor_of(TensorRole::kWeight);
  Tensor alpha_ = tensor_of(TensorRole::kAlpha);
  LevelRange range_;
  double step_factor_;
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
