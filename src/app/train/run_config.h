// The configuration that tbn-train runs: a file's, or that of the run directory that is resumed.
#pragma once

#include <optional>

#include "app/support/options.h"
#include "config/config.h"
#include "train/run/open_run.h"

namespace tbn {

// What --resume, --resume=auto, --resume=best and --overwrite ask for. Throws ConfigError for
// another value, and for two that exclude each other.
RunMode run_mode(const CommandLine& line);

// A run that an earlier tbn may have begun goes on by `as_earlier`, see ResumedConfig; none where
// the configuration is the run's own.
struct RunConfig {
  Config config;
  std::optional<Config> as_earlier;
  bool is_done = false;  // --resume=auto of a complete run, which looks at no data
};

// With a run directory, `--resume runs/x`, the configuration that it keeps, or that of --config,
// with the settings on top; name and output are those of the folder. Else that of --config. Throws
// ConfigError, and DataError where the run's checkpoint is damaged.
RunConfig run_config(const CommandLine& line, RunMode mode);

}  // namespace tbn
