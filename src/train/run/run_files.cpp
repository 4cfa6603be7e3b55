// The order in which a run's files change.
#include "train/run/run_files.h"

#include <system_error>

#include <fmt/format.h>

#include "config/load.h"
#include "file/atomic_write.h"
#include "tbn/error.h"
#include "train/run/environment.h"

namespace tbn {

RunFiles::RunFiles(const OpenRun& run, std::string device, std::vector<std::string> command_line)
    : run_(run.directory),
      lock_(*run.lock),
      config_yaml_(print_config(run.config)),
      device_(std::move(device)),
      command_line_(std::move(command_line)),
      seed_(run.config.train.seed),
      is_described_(!run.from && !run.replaces),
      replaces_(run.replaces),
      has_state_(run.from.has_value()) {}

// What was to replace a run and did not leaves no trace.
RunFiles::~RunFiles() {
  if (replaces_ && lock_.is_held()) run_.sweep();
}

void RunFiles::begin() {
  run_.prepare();
  if (is_described_) describe();
  if (!replaces_) return;
  std::error_code error;
  std::filesystem::create_directories(reports().folder(), error);
  if (error) {
    throw SystemError(fmt::format("cannot make '{}': {}; choose another place with output=...",
                                  reports().folder().string(), error.message()));
  }
}

void RunFiles::keep(std::string config_yaml) {
  config_yaml_ = std::move(config_yaml);
  is_described_ = true;
}

std::string_view RunFiles::way_on() const {
  if (has_state_) return "continue with --resume";
  return replaces_ ? "begin again with --overwrite, since nothing was saved yet"
                   : "begin again with --resume=auto or --overwrite, since nothing was saved yet";
}

void RunFiles::describe() {
  write_file_atomically(run_.config(), config_yaml_);
  write_file_atomically(run_.environment(),
                        environment_json(command_line_, device_, seed_).pretty());
}

void RunFiles::take_over(const std::filesystem::path& written) {
  describe();
  if (replaces_) {
    run_.give_way(written);
    replaces_ = false;
  }
  std::error_code error;
  std::filesystem::remove(run_.summary(), error);
  if (error) {
    throw SystemError(fmt::format("cannot remove '{}': {}; change the permissions of its folder",
                                  run_.summary().string(), error.message()));
  }
  is_described_ = true;
}

void RunFiles::save(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  expect_locked();
  write_checkpoint(path, checkpoint, [&] {
    expect_locked();
    if (!is_described_) take_over(path);
  });
  has_state_ = true;
  last_saved_ = Clock::now();
}

void RunFiles::finish(const Json& summary) {
  expect_locked();
  write_file_atomically(run_.summary(), summary.pretty());
}

double RunFiles::minutes_since_save() const {
  return std::chrono::duration<double>(Clock::now() - last_saved_).count() / 60;
}

}  // namespace tbn
