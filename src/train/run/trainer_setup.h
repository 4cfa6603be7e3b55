// Sets up a training before its first step: device, data, network, optimiser, schedule.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <c10/core/Device.h>

#include "config/config.h"
#include "data/source/reader.h"
#include "train/batches/batch_source.h"
#include "train/optim/schedule.h"
#include "train/run/open_run.h"
#include "train/run/trainer_report.h"
#include "train/state/trainer_state.h"
#include "train/step/step_runner.h"
#include "train/step/task_loss.h"

namespace tbn {

struct TrainerSetup {
  // Reads the data and makes everything else of it; writes nothing. A series is read by the rule of
  // `from`, the state that is continued, where there is one. Throws ConfigError and DataError for
  // what cannot be trained, or could not be saved afterwards.
  TrainerSetup(const Config& config, const Checkpoint* from);

  c10::Device device;
  DataSplits data;
  ChosenSource source;
  TaskLoss loss;
  TrainState state;
  StepModeChoice step_mode;
  StepRunner runner;
  ScheduleSpan span;
};

// Puts the state of a checkpoint that `run` continues into a new setup. What later epochs must beat
// is what best.safetensors is, whatever the checkpoint knew of it. Throws DataError where it is of
// another network or of other data, and NonFiniteError where it holds what is no number.
void take_state(TrainerSetup& setup, OpenRun& run);

// What stays of the reports of the run that goes on: the rows of whole epochs, and of a run whose
// training is at its end all. That of an epoch which a step limit cut short goes: it is trained to
// its end and reported again. None: there is no earlier run.
std::optional<KeptReports> kept_reports(const OpenRun& run);

// What is said before the first step: the samples, the device, what the user should know, and where
// a run that is continued goes on.
std::vector<std::string> opening_lines(const Config& config, const TrainerSetup& setup,
                                       const OpenRun& run);

// Where a run of another length goes on: how its learning rate continues, as a sentence; empty
// where that is as it would have been.
std::string changed_schedule(const Config& config, const Config& stored, const ScheduleSpan& span,
                             std::int64_t step);

// Throws DataError where a class cannot be named in the files that a run leaves behind: its name is
// no UTF-8.
void check_class_names(const SampleSpec& spec, const std::string& data);

}  // namespace tbn
