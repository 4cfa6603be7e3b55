// Trains the network of a configuration, from data to the run directory. No LibTorch type in this
// header, so that tools compile quickly.
//
//   TrainOutcome outcome = train(open_run(load_config("configs/resnet.yaml"), RunMode::kNew), {});
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "eval/metrics.h"
#include "file/json.h"
#include "tbn/model.h"
#include "train/run/open_run.h"
#include "train/state/norm_margin.h"

namespace tbn {

struct TrainOptions {
  std::vector<std::string> command_line;  // for environment.json
  std::FILE* console = stdout;            // progress and epoch lines
};

struct TrainOutcome {
  std::filesystem::path folder;
  int signal = 0;  // that stopped the run, with `last` saved; 0: none did
  // Trained to its end, which is the recorded one where a resume trained nothing.
  bool is_complete = false;
  std::int64_t epochs = 0;
  std::int64_t steps = 0;
  std::int64_t best_epoch = 0;            // counted from 1
  std::optional<EvalMetrics> validation;  // of the best epoch
  std::optional<EvalMetrics> test;        // of the best checkpoint
  std::optional<NormMargin> norm_margin;  // in it
  double seconds = 0;                     // of this process, start to end
  double train_seconds = 0;               // of those, in training steps
  double samples_per_second = 0;          // while training
  std::string device;
};

// The test split is read once, at the end, by the checkpoint that did best on the validation split
// (without one: the last). Throws ConfigError before anything is written where the run cannot be,
// DataError, SystemError, and NonFiniteError when the loss diverges; checkpoints that were written
// stay. An epoch that train.max_steps cuts short is `best` only while no whole epoch is. SIGINT,
// SIGTERM, SIGHUP and SIGUSR1 end it after the step or the batch that runs, with `last` saved.
TrainOutcome train(OpenRun run, const TrainOptions& options);

// The contents of summary.json.
Json outcome_json(const Config& config, const TrainOutcome& outcome, const Summary& summary);

}  // namespace tbn
