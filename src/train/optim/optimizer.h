// SGD, Adam, AdamW, Adadelta and Bop over parameter groups, stepping whole lists of tensors at once
// instead of tensor by tensor.
//
//   Optimizer optimizer(groups);
//   optimizer.zero_grad(); loss.backward(); optimizer.step(schedule_factor(...));
#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "config/config.h"

namespace tbn {

// Parameters that share their settings. `names[i]` is the name of `parameters[i]`.
struct ParameterGroup {
  OptimFields fields;
  std::vector<std::string> names;
  std::vector<at::Tensor> parameters;  // leaves that require a gradient
};

struct NamedState {
  std::string name;   // "<parameter>/<state>", the state one of momentum, mean, square, delta
  at::Tensor tensor;  // shares memory with the optimiser
};

// How an update is computed; both compute the same one, up to rounding.
//   kForeach  at::_foreach_* with the learning rate as a number
//   kFused    the learning rate and the count of steps are tensors on the parameters' device, so
//             that a captured update can be replayed with others; at::_fused_* does each group in
//             one pass over memory where it knows the rule, and at::_foreach_* the rest
enum class UpdateForm { kForeach, kFused };

// What train.fused_optimizer means on a device.
UpdateForm choose_update_form(const TrainConfig& train, c10::Device device);

class Optimizer {
 public:
  // Throws ConfigError for an unknown type.
  explicit Optimizer(std::vector<ParameterGroup> groups, UpdateForm form = UpdateForm::kForeach);

  // Drops the gradients; backward() makes new ones without adding.
  void zero_grad();

  // One update with each group's lr times `lr_factor`. Parameters without a gradient keep still.
  //   sgd    g += wd w;  v = momentum v + g;  w -= lr (nesterov ? g + momentum v : v)
  //   adam   g += wd w;  m, s = running means of g, g^2;  w -= lr m^ / (sqrt(s^) + eps)
  //          With second_moment row, s is the mean of g^2 over all that one output has, a value an
  //          output instead of one per weight (as Adam-mini, Zhang et al. 2024); vectors keep
  //          theirs.
  //   adamw  w -= lr wd w before an adam step without wd (Loshchilov and Hutter)
  //   adadelta  g += wd w;  s = running mean of g^2;  d = sqrt(r + eps) / sqrt(s + eps) g;
  //             r = running mean of d^2;  w -= lr d (Zeiler 2012; both means decay by rho)
  //   bop    m += lr (g - m);  w = -w where |m| >= threshold and m has the sign of w (Helwegen et
  //          al. 2019, algorithm 1, whose gamma is lr): for latents, of which the sign alone
  //          counts. Weight decay has no part in it; a w of 0, which counts as negative, becomes 1.
  void step(double lr_factor);

  // A step in two parts, of which the second may be captured once and replayed: begin_step() counts
  // it and sets the learning rates, update() works on the gradients.
  void begin_step(double lr_factor);
  void update();

  UpdateForm form() const { return form_; }

  // Gradients that are defined now, over all groups.
  std::vector<at::Tensor> gradients() const;

  // Everything but the parameters that the next step depends on, with steps().
  std::vector<NamedState> state() const;

  std::int64_t steps() const { return steps_; }
  void set_steps(std::int64_t steps) { steps_ = steps; }

 private:
  struct Group {
    OptimFields fields;
    std::vector<std::string> names;
    std::vector<at::Tensor> parameters;
    std::vector<at::Tensor> first;   // momentum, Adam's mean of g, Adadelta's of d^2; empty: none
    std::vector<at::Tensor> second;  // the mean of g^2
    at::Tensor rate;                 // kFused: the learning rate, a scalar on the device
  };

  void place_scalars();
  void update_foreach(Group& group) const;
  void update_fused(Group& group) const;

  std::vector<Group> groups_;
  UpdateForm form_;
  std::int64_t steps_ = 0;
  double lr_factor_ = 1;
  at::Tensor device_steps_;  // kFused: steps_, a scalar on the device
};

}  // namespace tbn
