// Batches go into tensors that stay; learning rates are such tensors already.
#include "train/step/step_runner.h"

#include <array>

#include <fmt/format.h>
#include <torch/torch.h>

#include "tbn/error.h"

namespace tbn {
namespace {

constexpr std::array<at::Tensor BatchTensors::*, 6> kBatchParts = {
    &BatchTensors::inputs,       &BatchTensors::labels,  &BatchTensors::targets,
    &BatchTensors::other_labels, &BatchTensors::weights, &BatchTensors::taught};

bool same_kind(const at::Tensor& a, const at::Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() == b.defined();
  return a.sizes() == b.sizes() && a.scalar_type() == b.scalar_type();
}

}  // namespace

StepModeChoice choose_step_mode(const TrainConfig& train, c10::Device device) {
  if (train.cuda_graph == Toggle::kOff) return {};
  const bool demanded = train.cuda_graph == Toggle::kOn;
  if (!device.is_cuda()) {
    if (!demanded) return {};
    throw ConfigError(
        fmt::format("train.cuda_graph: 'on' needs a GPU, and the device is {}; use auto or off, or "
                    "another train.device",
                    device.str()));
  }
  if (choose_update_form(train, device) == UpdateForm::kFused) return {StepMode::kRecorded, ""};
  const char* reason =
      "train.fused_optimizer is off, whose learning rates cannot change in a graph";
  if (demanded) throw ConfigError(fmt::format("train.cuda_graph: 'on', but {}", reason));
  return {StepMode::kEager, fmt::format("steps are not recorded as a CUDA graph: {}", reason)};
}

StepRunner::StepRunner(TrainState& state, const TaskLoss& loss, const TrainConfig& train,
                       StepMode mode)
    : state_(state), loss_(loss), train_(train), mode_(mode), call_(state.model().device()) {
  TBN_CHECK(mode == StepMode::kEager || state.optimizer().form() == UpdateForm::kFused,
            "a recorded step needs learning rates on the device");
}

// Copies the batch into the recording's, whose sizes it must have.
bool StepRunner::take(const BatchTensors& batch) {
  const torch::NoGradGuard no_grad;
  if (!batch_.inputs.defined()) {
    for (const auto part : kBatchParts) {
      if ((batch.*part).defined()) batch_.*part = (batch.*part).clone();
    }
    return true;
  }
  for (const auto part : kBatchParts) {
    if (!same_kind(batch.*part, batch_.*part)) return false;
  }
  for (const auto part : kBatchParts) {
    if ((batch.*part).defined()) (batch_.*part).copy_(batch.*part);
  }
  return true;
}

StepResult StepRunner::run(const BatchTensors& batch, double lr_factor) {
  if (mode_ == StepMode::kEager) return run_step(state_, loss_, train_, batch, lr_factor);
  if (!take(batch)) {
    ++misfits_;
    return run_step(state_, loss_, train_, batch, lr_factor);
  }
  state_.optimizer().begin_step(lr_factor);
  run_recorded();
  if (state_.ema() != nullptr) state_.ema()->update();
  return result_;
}

void StepRunner::run_recorded() {
  const auto step = [this] { result_ = run_step_on_device(state_, loss_, train_, batch_); };
  if (warm_up_steps_ < kWarmUpSteps) {
    ++warm_up_steps_;
    return call_.warm_up(step);
  }
  // The factor is a number in the recording.
  const double factor = state_.model().norm_momentum_factor();
  if (!call_.recorded() || factor != momentum_factor_) {
    call_.record(step);
    momentum_factor_ = factor;
    ++recordings_;
  }
  call_.replay();
}

}  // namespace tbn
