// The parts of a step in their order.
#include "train/step.h"

#include <ATen/record_function.h>

#include "train/device.h"
#include "train/loss.h"

namespace tbn {

StepResult run_step(TrainState& state, const TaskLoss& loss, const TrainConfig& train,
                    const BatchTensors& batch, double lr_factor) {
  Optimizer& optimizer = state.optimizer();
  optimizer.zero_grad();
  StepResult result;
  {
    const Autocast autocast(train.precision == "bf16", state.model().device());
    result.outputs = state.model().forward(batch.inputs);
  }
  {
    RECORD_USER_SCOPE(kLossScope);
    result.loss = loss(state.model(), result.outputs, batch);
  }
  result.loss.backward();
  RECORD_USER_SCOPE(kOptimizerScope);
  if (train.clip_norm > 0) {
    std::vector<at::Tensor> gradients = optimizer.gradients();
    clip_gradients(gradients, train.clip_norm);
  }
  optimizer.step(lr_factor);
  if (state.ema() != nullptr) state.ema()->update();
  return result;
}

}  // namespace tbn
