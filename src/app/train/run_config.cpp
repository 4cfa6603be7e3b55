// Where a configuration comes from.
#include "app/train/run_config.h"

#include <filesystem>

#include <fmt/format.h>

#include "config/load.h"
#include "config/recorded_paths.h"
#include "config/storable.h"
#include "tbn/error.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

bool resumes(RunMode mode) { return mode != RunMode::kNew && mode != RunMode::kOverwrite; }

// "runs/x/" is "runs/x", and "." the folder that we are in.
fs::path plain_folder(const std::string& typed) {
  fs::path folder = fs::path(typed).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  const fs::path last = folder.filename();
  std::error_code error;
  if (last == "." || last == ".." || last.empty()) folder = fs::canonical(folder, error);
  return folder;
}

fs::path run_folder(const CommandLine& line) {
  const std::string typed = line.file("run directory");
  std::error_code error;
  const fs::path folder = plain_folder(typed);
  if ((typed == "auto" || typed == "best") && !fs::exists(folder, error)) {
    throw ConfigError(fmt::format("--resume {0}: write --resume={0}", typed));
  }
  if (fs::is_regular_file(folder, error)) {
    throw ConfigError(fmt::format(
        "--resume: '{}' is a file; name the run directory that is to be continued", typed));
  }
  return folder;
}

// What a run recorded and its continuation reads, unless a setting says another place.
void check_places(const CommandLine& line, const Config& recorded, const StoredConfig& stored) {
  const auto check = [&](const std::string& key, const std::string& value) {
    const std::string section = key.substr(0, key.find('.'));
    for (const std::string& setting : line.settings()) {
      if (setting.starts_with(key + "=") || setting.starts_with(section + "=")) return;
    }
    check_recorded_path(key, value, stored.source.string(), "give " + key + "=...");
  };
  check("data.root", recorded.data.root);
  check("teacher.from", recorded.teacher.from);
  if (!stored.is_state) check("init.from", recorded.init.from);
}

Config config_of_stored(const CommandLine& line, const StoredConfig& stored) {
  try {
    return parse_recorded_config(stored.yaml, stored.source.string(), line.settings());
  } catch (const DataError& error) {
    if (stored.is_state) throw;
    throw ConfigError(error.what());  // a configuration by itself, which anyone may have changed
  }
}

RunConfig load(const CommandLine& line, RunMode mode) {
  const std::string file = line.text("config");
  if (!resumes(mode)) return {.config = load_config(file, line.settings()), .as_earlier = {}};
  ResumedConfig loaded = load_resumed_config(file, line.settings());
  return {.config = std::move(loaded.config), .as_earlier = std::move(loaded.as_earlier)};
}

RunConfig config_of_run(const CommandLine& line, RunMode mode) {
  const fs::path folder = run_folder(line);
  for (const std::string& setting : line.settings()) {
    if (!setting.starts_with("name=") && !setting.starts_with("output=")) continue;
    throw ConfigError(fmt::format("'{}' contradicts --resume {}, which says the run's place",
                                  setting, folder.string()));
  }
  RunConfig run;
  std::optional<StoredConfig> stored;
  if (line.has("config")) {
    run = load(line, mode);
  } else {
    stored = stored_config(folder, mode);
    run.config = config_of_stored(line, *stored);
  }
  run.config.name = folder.filename().string();
  run.config.output = folder.has_parent_path() ? folder.parent_path().string() : ".";
  run.is_done = mode == RunMode::kResumeAuto && is_done_already(run.config);
  if (stored && !run.is_done) check_places(line, run.config, *stored);
  return run;
}

RunConfig config_of_file(const CommandLine& line, RunMode mode) {
  if (!line.files().empty()) {
    throw ConfigError(fmt::format(
        "'{}' is neither an option nor a setting; a configuration is given as --config <file>, a "
        "setting as key=value",
        line.files().front()));
  }
  if (line.text("config").empty()) {
    throw ConfigError("which configuration? Give it as --config <file>");
  }
  RunConfig run = load(line, mode);
  run.is_done = mode == RunMode::kResumeAuto && is_done_already(run.config);
  return run;
}

}  // namespace

RunMode run_mode(const CommandLine& line) {
  if (!line.has("resume")) return line.has("overwrite") ? RunMode::kOverwrite : RunMode::kNew;
  if (line.has("overwrite")) {
    throw ConfigError("--resume continues a run and --overwrite replaces it; give one of them");
  }
  const std::string how = line.text("resume");
  if (how == "last") return RunMode::kResume;
  if (how == "auto") return RunMode::kResumeAuto;
  if (how == "best") return RunMode::kResumeBest;
  throw ConfigError(fmt::format(
      "--resume: '{0}' is not one of last, auto, best; a run directory follows after a space: "
      "--resume {0}",
      how));
}

RunConfig run_config(const CommandLine& line, RunMode mode) {
  const bool has_folder = resumes(mode) && !line.files().empty();
  RunConfig run = has_folder ? config_of_run(line, mode) : config_of_file(line, mode);
  check_storable(run.config);
  return run;
}

}  // namespace tbn
