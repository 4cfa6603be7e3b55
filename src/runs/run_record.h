// What the folder of a run says of it (docs/runs.md): its settings, how far it came, and how good
// it is. No LibTorch; no checkpoint is read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "file/json.h"

namespace tbn {

// "optim.lr" and its value as YAML on one line, as they stand in the run's configuration.
struct RunSetting {
  std::string key;
  std::string value;
  bool operator==(const RunSetting&) const = default;
};

enum class RunProgress {
  kComplete,  // its summary is there
  kTraining,  // a process holds its lock
  kStopped,   // rows of epochs, or a checkpoint, and no summary
  kBegun,     // a configuration alone
};
std::string to_string(RunProgress progress);  // "complete", "training", "stopped", "begun"

// A row of metrics.csv; what a run does not have, and what is not finite, is absent.
struct EpochRow {
  std::int64_t epoch = 0;
  std::optional<double> train_loss;
  std::optional<double> val_loss;
  std::optional<double> val_score;  // accuracy or mIoU in per cent, or MSE
};

struct RunRecord {
  std::filesystem::path folder;
  std::string name;
  RunProgress progress = RunProgress::kBegun;
  std::vector<RunSetting> settings;  // in the order of the configuration
  std::int64_t epochs = 0;           // that it is to have
  std::int64_t trained = 0;          // that it has
  std::string measure;               // "accuracy", "miou" or "mse"; empty: not known yet
  std::optional<double> validation;  // of the best epoch, by the measure
  std::optional<double> test;        // of a complete run
  std::vector<EpochRow> curve;
  Json summary;      // of a complete run, else null
  Json environment;  // null where it is missing

  // The value of a key; empty where the configuration does not have it.
  std::string value(std::string_view key) const;
  // A number of the summary ("bytes", "bits_per_weight", "train_seconds"), where it is there and
  // from 0 to 10^15.
  std::optional<double> number(std::string_view key) const;
  // Whether a larger value of the measure is better.
  bool larger_is_better() const { return measure != "mse"; }
};

// The settings of a configuration's text, whose lists stand on one line. Throws DataError that
// names `source`.
std::vector<RunSetting> settings_of(const std::string& yaml, const std::string& source);

// Throws DataError, beginning with the folder, where it is none of a run, or a file of the run is
// damaged or too large.
RunRecord read_run(const std::filesystem::path& folder);

// Whether a folder holds a run's configuration and something else of a run; docs/logs has such.
bool is_run(const std::filesystem::path& folder);

// The folders of runs at the paths, each a run or a folder with runs in it (four deep at most),
// sorted by their names; each once. Throws DataError for a path that is no folder, or holds no run.
std::vector<std::filesystem::path> find_runs(const std::vector<std::string>& paths);

}  // namespace tbn
