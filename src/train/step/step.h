// One training step: forward, loss, gradients, update.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "config/config.h"
#include "train/batches/batch_tensors.h"
#include "train/state/trainer_state.h"
#include "train/step/task_loss.h"

namespace tbn {

// The parts of a step besides the network's own, as user scopes of LibTorch's profilers.
inline constexpr const char* kLossScope = "tbn::loss";
inline constexpr const char* kOptimizerScope = "tbn::optimizer";

// The loss and the number of right answers, on the device, for the parameters before the update.
struct StepResult {
  at::Tensor loss;     // a scalar
  at::Tensor correct;  // how many labels were right (int64); undefined for forecasting
};

// Every learning rate is its group's times `lr_factor`.
StepResult run_step(TrainState& state, const TaskLoss& loss, const TrainConfig& train,
                    const BatchTensors& batch, double lr_factor);

// What lies between the optimiser's begin_step() and the averages' update: what a recorded step
// repeats. Waits for nothing and counts nothing.
StepResult run_step_on_device(TrainState& state, const TaskLoss& loss, const TrainConfig& train,
                              const BatchTensors& batch);

}  // namespace tbn
