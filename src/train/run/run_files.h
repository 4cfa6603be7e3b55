// When a training writes which of its run's files. A run that is continued stays what it was until
// something new of it is saved: a start that comes to nothing takes nothing away from it.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "config/config.h"
#include "file/json.h"
#include "train/state/checkpoint.h"
#include "train/state/run_directory.h"

namespace tbn {

class RunFiles {
 public:
  // `continues` an earlier training in this folder. `device` and `command_line` are for
  // environment.json.
  RunFiles(const Config& config, const RunDirectory& run, std::string device,
           std::vector<std::string> command_line, bool continues);

  // Before the first step: says what a run is that begins.
  void begin();
  // Of a run in which nothing more is trained, before anything is saved: it stays what it was
  // recorded as, `config_yaml`, its summary too.
  void keep(std::string config_yaml);
  // Writes a checkpoint. When the first one is whole beside its place, the folder begins to speak
  // of this training: its configuration and environment are written, and the summary goes, which
  // would call a run complete that goes on.
  void save(const std::filesystem::path& path, const Checkpoint& checkpoint);
  // The run is complete.
  void finish(const Json& summary);

  double minutes_since_save() const;
  const std::string& config_yaml() const { return config_yaml_; }

 private:
  using Clock = std::chrono::steady_clock;

  void describe();

  const RunDirectory& run_;
  std::string config_yaml_;
  const std::string device_;
  const std::vector<std::string> command_line_;
  const std::int64_t seed_;
  bool is_described_;
  Clock::time_point last_saved_ = Clock::now();
};

}  // namespace tbn
