// Reports the progress of training: to the console, train.log, metrics.csv and TensorBoard's
// events.
#pragma once

#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "eval/metrics.h"
#include "log/csv.h"
#include "log/progress.h"
#include "log/tensorboard.h"
#include "train/state/run_directory.h"

namespace spdlog {
class logger;
}

namespace tbn {

struct EpochReport {
  std::int64_t epoch = 0;  // counted from 1
  std::int64_t epochs = 0;
  std::int64_t global_step = 0;
  double train_loss = 0;
  std::optional<double> train_accuracy;  // per cent, of labels
  std::optional<EvalMetrics> validation;
  double lr = 0;
  double samples_per_second = 0;
  double seconds = 0;
  bool best = false;
};

// Of an earlier run's reports those that stay when it goes on, by their step.
struct KeptReports {
  std::int64_t rows_to = std::numeric_limits<std::int64_t>::max();  // of metrics.csv
  std::optional<std::int64_t> events_to;                            // of TensorBoard; none: all
};

class TrainReport {
 public:
  // Begins the files, or continues them after what is kept and forgets what came later.
  TrainReport(const RunDirectory& run, Task task, std::FILE* console,
              const std::optional<KeptReports>& kept);
  ~TrainReport();

  void progress(const Progress& progress) { printer_.update(progress); }
  void epoch(const EpochReport& report);
  // A single value outside of epochs, for TensorBoard.
  void scalar(const char* tag, double value, std::int64_t step);
  // A sentence for the console and the log.
  void say(const std::string& text);
  // For the log alone.
  void note(const std::string& text);

 private:
  CsvLog csv_;  // first: it is what an earlier run's file may speak against
  TensorboardWriter events_;
  std::shared_ptr<spdlog::logger> log_;
  ProgressPrinter printer_;
};

}  // namespace tbn
