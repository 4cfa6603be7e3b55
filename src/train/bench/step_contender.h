// A network in training without a data set: what step_bench times and step_profile takes apart.
#pragma once

#include <cstdint>

#include "config/config.h"
#include "data/source/dataset.h"
#include "train/batches/batch_tensors.h"
#include "train/state/trainer_state.h"
#include "train/step/step_runner.h"
#include "train/step/task_loss.h"

namespace tbn {

// Samples like those of `spec` with random values, labels and targets.
BatchTensors random_batch(const SampleSpec& spec, std::int64_t size, c10::Device device);

class StepContender {
 public:
  // Throws ConfigError as training does.
  StepContender(const Config& config, const SampleSpec& spec, c10::Device device);

  // Microseconds a step of `steps` in a row, from an idle device to an idle device.
  double step_us(const BatchTensors& batch, int steps = 1);
  // Whether the steps are recorded ones.
  bool recorded() const { return mode_ == StepMode::kRecorded; }
  // Bytes of parameters, gradients and optimiser state.
  std::int64_t state_bytes();
  GraphModule& model() { return state_.model(); }

 private:
  TrainConfig train_;
  TrainState state_;
  TaskLoss loss_;
  c10::Device device_;
  StepMode mode_;
  StepRunner runner_;
};

}  // namespace tbn
