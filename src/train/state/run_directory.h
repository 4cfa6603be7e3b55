// The folder of one run: its files, and which files of an older run it still holds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "file/json.h"

namespace tbn {

// What a run directory holds.
enum class RunState {
  kNothing,  // absent, empty, or left by a start that came to nothing
  kForeign,  // files, but no run of tbn-train
  kUnsaved,  // a run that stopped before its first save: its configuration alone
  kBest,     // best.safetensors, and no last.safetensors
  kLast,     // last.safetensors
};

// A run that came to its end, from its summary.json.
struct RunResult {
  std::int64_t epochs = 0;
  std::int64_t steps = 0;
  std::string test;  // "test accuracy 91.28 %"
  Json summary;
};

struct RunContents {
  RunState state = RunState::kNothing;
  bool has_best = false;
  bool has_lock = false;
  std::optional<RunResult> result;  // none: the run is not complete
};

// `<output>/<name>` with its files' places.
class RunDirectory {
 public:
  explicit RunDirectory(std::filesystem::path folder) : folder_(std::move(folder)) {}

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path config() const { return folder_ / "config.yaml"; }
  std::filesystem::path environment() const { return folder_ / "environment.json"; }
  std::filesystem::path log() const { return folder_ / "train.log"; }
  std::filesystem::path metrics() const { return folder_ / "metrics.csv"; }
  std::filesystem::path events() const { return folder_ / "events"; }
  std::filesystem::path summary() const { return folder_ / "summary.json"; }
  // A teacher's outputs, where a run keeps them (teacher.views).
  std::filesystem::path teacher_cache() const { return folder_ / "teacher_outputs.safetensors"; }
  std::filesystem::path checkpoints() const { return folder_ / "checkpoints"; }
  std::filesystem::path last() const { return checkpoints() / "last.safetensors"; }
  std::filesystem::path best() const { return checkpoints() / "best.safetensors"; }

  // Throws ConfigError where the folder is a file, or where something else lies in the place of one
  // of a run's files (a pipe would be waited for without end), and SystemError where it cannot be
  // looked into: what may not be seen is not taken for absent.
  RunContents look() const;

  // Makes the folders, and tries whether the run's files can be written, so that this does not come
  // out after the first epoch. What is there stays as it is. Throws SystemError.
  void prepare() const;

  // Where the reports of a run lie that is to replace this one, until it does: a folder in this
  // one.
  RunDirectory incoming() const { return RunDirectory(folder_ / ".new"); }
  // Removes of this run what a run that replaces it does not write over: its summary, its reports
  // and the checkpoints but for `written`. Whatever someone put beside them stays. Then the reports
  // of incoming() take their places. Throws SystemError.
  void give_way(const std::filesystem::path& written) const;

  // Removes files that were being written by processes that are no more, and the reports of a run
  // that came to nothing. Only while locked.
  void sweep() const;

  // Whether there is a state to resume from.
  bool has_checkpoint() const;

 private:
  void check_kinds() const;

  std::filesystem::path folder_;
};

// The checkpoint that a path given to a tool means: a run directory's `best`, else its `last`; a
// file itself. Throws DataError where there is none.
std::filesystem::path find_checkpoint(const std::filesystem::path& path);

// The same of a setting's value. Throws DataError that begins with `key`, and says which place a
// relative path that is not there means from here.
std::filesystem::path find_checkpoint_of(const std::string& key, const std::filesystem::path& path);

}  // namespace tbn
