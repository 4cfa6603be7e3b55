// Runs training steps one after another: each by itself, or recorded once and replayed, so that a
// GPU gets a step with one launch instead of some thousand.
#pragma once

#include <cstdint>
#include <string>

#include "train/step/cuda_graph.h"
#include "train/step/step.h"

namespace tbn {

enum class StepMode { kEager, kRecorded };

// What train.cuda_graph means on a device, with a sentence where `auto` cannot record. Throws
// ConfigError where `on` cannot be.
struct StepModeChoice {
  StepMode mode = StepMode::kEager;
  std::string note;
};
StepModeChoice choose_step_mode(const TrainConfig& train, c10::Device device);

class StepRunner {
 public:
  // Steps that are run by themselves before one is recorded: LibTorch chooses its kernels in them.
  static constexpr int kWarmUpSteps = 3;

  // All must outlive the runner. kRecorded needs an optimiser of UpdateForm::kFused.
  StepRunner(TrainState& state, const TaskLoss& loss, const TrainConfig& train, StepMode mode);

  // As run_step(). What it returns is overwritten by the next step. A recorded step has the sizes
  // of the first batch: others run by themselves. The averages follow outside of the recording,
  // since their decay is a number that changes.
  StepResult run(const BatchTensors& batch, double lr_factor);

  // How often a step was recorded: again where the momentum of the norms has changed.
  int recordings() const { return recordings_; }
  // Steps that did not fit the recording.
  std::int64_t misfits() const { return misfits_; }

 private:
  bool take(const BatchTensors& batch);
  void run_recorded();

  TrainState& state_;
  const TaskLoss& loss_;
  const TrainConfig& train_;
  StepMode mode_;
  RecordedCall call_;
  BatchTensors batch_;  // what the recording reads
  StepResult result_;   // what it writes
  double momentum_factor_ = 1;
  int warm_up_steps_ = 0;
  int recordings_ = 0;
  std::int64_t misfits_ = 0;
};

}  // namespace tbn
