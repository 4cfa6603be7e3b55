// One training step: forward, loss, gradients, update.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "config/config.h"
#include "train/batch_tensors.h"
#include "train/task_loss.h"
#include "train/trainer_state.h"

namespace tbn {

// The parts of a step besides the network's own, as user scopes of LibTorch's profilers.
inline constexpr const char* kLossScope = "tbn::loss";
inline constexpr const char* kOptimizerScope = "tbn::optimizer";

struct StepResult {
  at::Tensor loss;     // a scalar, still on the device
  at::Tensor outputs;  // [B, ...], of the parameters before the update
};

// Every learning rate is its group's times `lr_factor`.
StepResult run_step(TrainState& state, const TaskLoss& loss, const TrainConfig& train,
                    const BatchTensors& batch, double lr_factor);

}  // namespace tbn
