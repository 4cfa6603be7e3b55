// The folder of one run and what may happen to an older run of the same name.
#pragma once

#include <filesystem>

namespace tbn {

enum class RunMode { kNew, kResume, kOverwrite };

// `<output>/<name>` with its files' places. Nothing is touched before create().
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
  std::filesystem::path last() const { return folder_ / "checkpoints" / "last.safetensors"; }
  std::filesystem::path best() const { return folder_ / "checkpoints" / "best.safetensors"; }

  // Throws ConfigError where the mode does not fit what is there: a new run over an older one, a
  // resume of none, an overwrite of a folder that holds something else.
  void check(RunMode mode) const;

  // Makes the folders; with kOverwrite removes an older run's files first. Throws SystemError.
  void create(RunMode mode) const;

  // Whether there is a state to resume from.
  bool has_checkpoint() const;

 private:
  std::filesystem::path folder_;
};

// The checkpoint that a path given to a tool means: a run directory's `best`, else its `last`; a
// file itself. Throws DataError where there is none.
std::filesystem::path find_checkpoint(const std::filesystem::path& path);

}  // namespace tbn
