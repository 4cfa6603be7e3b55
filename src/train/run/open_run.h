// How a training begins: what the command asks for, and what the run directory holds.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "train/state/checkpoint.h"
#include "train/state/run_directory.h"
#include "train/state/run_lock.h"

namespace tbn {

enum class RunMode {
  kNew,         // no run may be there
  kResume,      // --resume: continue from `last`
  kResumeAuto,  // --resume=auto: continue, or start where there is nothing to continue
  kResumeBest,  // --resume=best: go back to `best`
  kOverwrite,   // --overwrite: replace the run
};

// A run directory that is locked and ready, with what training begins from.
struct OpenRun {
  Config config;  // as asked for; settings younger than a run that is continued are as it began
  RunDirectory directory;
  std::unique_ptr<RunLock> lock;      // until the end of the run
  bool replaces = false;              // an older run's files go with the first save
  std::optional<Checkpoint> from;     // the state to continue; none: from the start
  std::filesystem::path from_path;    // where it was read, for messages
  bool is_best = false;               // `from` is best.safetensors
  std::optional<TrainProgress> best;  // of best.safetensors, with a state to continue
  std::optional<RunResult> result;    // of a run that was complete
  std::vector<std::string> notes;     // what the user should know

  // --resume=auto of a run that is complete: there is nothing to train.
  bool is_done = false;
  // `from` has all that was asked for: `best` is tested again, and the folder stays as it is.
  bool is_at_end = false;
  // With it: the run in the folder is trained to the end that it was recorded with.
  bool is_complete = false;
};

// Whether a teacher's outputs are kept in the run directory's own file: teacher.cache does not name
// another, but nothing or this one.
bool keeps_outputs_itself(const Config& config);

// Whether a training in this state has steps or a validation left of what `train` asks for.
bool has_work(const TrainProgress& progress, const TrainConfig& train);

// Longer than a client of NFS that went away keeps its locks.
inline constexpr std::chrono::seconds kAutoWait{100};

// The table of states, with exit codes:
//
//   holds               kNew      kResume       kResumeAuto       kResumeBest   kOverwrite
//   nothing             begins    2             begins            2             begins
//   a configuration     2         2             begins            2             replaces
//   last                2         from last     from last         from best, 2  replaces
//   best, no last       2         2             from best         from best     replaces
//   complete            2         from last     done, if not longer   from best replaces
//   enough (is_at_end)  2         tests best    tests best        tests best    replaces
//   last is damaged     2         3             3                 from best, 3  replaces
//   files, but no run   2         2             2                 2             2
//   a pipe for a file   2         2             2                 2             2
//   locked              2         2             waits, then 2     2             2
//
// Throws ConfigError (2) and DataError (3) with the ways out, and SystemError; what is refused is
// left as it was. `waits` is told of the process that holds the lock before kAutoWait begins.
// `as_earlier` is the configuration by the defaults of earlier versions (load_resumed_config),
// which runs of theirs go on by; null: `config` has said all that it says on purpose.
OpenRun open_run(const Config& config, RunMode mode,
                 const std::function<void(const std::string& text)>& waits = {},
                 std::chrono::duration<double> most_wait = kAutoWait,
                 const Config* as_earlier = nullptr);

// Whether --resume=auto of this configuration has nothing to train, as far as the folder tells
// before it is locked: then neither data nor a network need be there.
bool is_done_already(const Config& config);

// The configuration of the run in a folder, as YAML, and the file that it was found in: that of the
// state that `mode` continues, else config.yaml's. Throws ConfigError where there is no run, and as
// open_run() does where its checkpoint is damaged.
struct StoredConfig {
  std::string yaml;
  std::filesystem::path source;
  bool is_state = true;  // of a checkpoint; false: of config.yaml
};
StoredConfig stored_config(const std::filesystem::path& folder, RunMode mode);

}  // namespace tbn
