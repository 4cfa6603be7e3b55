// The order in which a training writes the files of its run. A run that is continued or replaced
// stays as it was until something new is saved, so that a training which fails at its start
// destroys nothing.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "config/config.h"
#include "file/json.h"
#include "train/run/open_run.h"
#include "train/state/checkpoint.h"
#include "train/state/run_directory.h"
#include "train/state/run_lock.h"

namespace tbn {

class RunFiles {
 public:
  // Of a run that was opened, and stays open meanwhile. `device` and `command_line` are for
  // environment.json.
  RunFiles(const OpenRun& run, std::string device, std::vector<std::string> command_line);
  ~RunFiles();
  RunFiles(const RunFiles&) = delete;
  RunFiles& operator=(const RunFiles&) = delete;

  // Where reports are to be opened: in the run's folder, or beside its files while they are those
  // of a run that is to be replaced. There they are moved from as they are, open.
  RunDirectory reports() const { return replaces_ ? run_.incoming() : run_; }
  // Whether what lies in the folder is of this run, or of the one that it continues.
  bool is_of_this_run() const { return !replaces_; }

  // Before the first step: says what a run is that begins.
  void begin();
  // Of a run in which nothing more is trained, before anything is saved: it stays what it was
  // recorded as, `config_yaml`, its summary too.
  void keep(std::string config_yaml);
  // Throws SystemError where the run's lock was taken away: another training may write there.
  void expect_locked() const { lock_.expect_held(way_on()); }
  // Writes a checkpoint, while the lock is held. When the first one is whole beside its place, the
  // folder begins to speak of this training: its configuration and environment are written, and the
  // summary goes, which would call a run complete that goes on; so does all else of a run that is
  // replaced.
  void save(const std::filesystem::path& path, const Checkpoint& checkpoint);
  // The run is complete.
  void finish(const Json& summary);

  double minutes_since_save() const;
  const std::string& config_yaml() const { return config_yaml_; }

 private:
  using Clock = std::chrono::steady_clock;

  // What whoever was stopped may do then.
  std::string_view way_on() const;
  void describe();
  void take_over(const std::filesystem::path& written);

  const RunDirectory& run_;
  const RunLock& lock_;
  std::string config_yaml_;
  const std::string device_;
  const std::vector<std::string> command_line_;
  const std::int64_t seed_;
  bool is_described_;
  bool replaces_;  // an older run, so far
  bool
      has_state_;  // there is one to continue from: of this training, or of that which it continues
  Clock::time_point last_saved_ = Clock::now();
};

}  // namespace tbn
