// The order in which a run's files change.
#include "train/run/run_files.h"

#include <system_error>

#include <fmt/format.h>

#include "config/load.h"
#include "file/atomic_write.h"
#include "tbn/error.h"
#include "train/run/environment.h"

namespace tbn {

RunFiles::RunFiles(const Config& config, const RunDirectory& run, std::string device,
                   std::vector<std::string> command_line, bool continues)
    : run_(run),
      config_yaml_(print_config(config)),
      device_(std::move(device)),
      command_line_(std::move(command_line)),
      seed_(config.train.seed),
      is_described_(!continues) {}

void RunFiles::begin() {
  if (is_described_) describe();
}

void RunFiles::keep(std::string config_yaml) {
  config_yaml_ = std::move(config_yaml);
  is_described_ = true;
}

void RunFiles::describe() {
  write_file_atomically(run_.config(), config_yaml_);
  write_file_atomically(run_.environment(),
                        environment_json(command_line_, device_, seed_).pretty());
}

void RunFiles::save(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  write_checkpoint(path, checkpoint, [&] {
    if (is_described_) return;
    describe();
    std::error_code error;
    std::filesystem::remove(run_.summary(), error);
    if (error) {
      throw SystemError(fmt::format("cannot remove '{}': {}; change the permissions of its folder",
                                    run_.summary().string(), error.message()));
    }
    is_described_ = true;
  });
  last_saved_ = Clock::now();
}

void RunFiles::finish(const Json& summary) {
  write_file_atomically(run_.summary(), summary.pretty());
}

double RunFiles::minutes_since_save() const {
  return std::chrono::duration<double>(Clock::now() - last_saved_).count() / 60;
}

}  // namespace tbn
