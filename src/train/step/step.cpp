// The parts of a step in their order.
#include "train/step/step.h"

#include <ATen/record_function.h>

#include "train/executor/device.h"
#include "train/step/loss.h"

namespace tbn {

StepResult run_step(TrainState& state, const TaskLoss& loss, const TrainConfig& train,
                    const BatchTensors& batch, double lr_factor) {
  state.optimizer().begin_step(lr_factor);
  const StepResult result = run_step_on_device(state, loss, train, batch);
  if (state.ema() != nullptr) state.ema()->update();
  return result;
}

StepResult run_step_on_device(TrainState& state, const TaskLoss& loss, const TrainConfig& train,
                              const BatchTensors& batch) {
  Optimizer& optimizer = state.optimizer();
  optimizer.zero_grad();
  at::Tensor outputs, value;
  {
    const Autocast autocast(train.precision == TrainPrecision::kBf16, state.model().device());
    outputs = state.model().forward(batch.inputs);
  }
  {
    RECORD_USER_SCOPE(kLossScope);
    value = loss(state.model(), outputs, batch);
  }
  value.backward();
  RECORD_USER_SCOPE(kOptimizerScope);
  if (train.clip_norm > 0) {
    std::vector<at::Tensor> gradients = optimizer.gradients();
    clip_gradients(gradients, train.clip_norm);
  }
  optimizer.update();
  return {value.detach(), loss.correct(outputs, batch)};
}

}  // namespace tbn
