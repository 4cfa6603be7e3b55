// Rules for new, resumed and overwritten run directories.
#include "train/run_directory.h"

#include <fmt/format.h>

#include "tbn/error.h"

namespace tbn {
namespace fs = std::filesystem;

void RunDirectory::check(RunMode mode) const {
  std::error_code error;
  const bool exists = fs::exists(folder_, error);
  if (exists && !fs::is_directory(folder_, error)) {
    throw ConfigError(fmt::format("run directory '{}' is a file; choose another with name=...",
                                  folder_.string()));
  }
  const bool occupied = exists && !fs::is_empty(folder_, error);
  const bool is_run = fs::exists(config(), error);
  switch (mode) {
    case RunMode::kNew:
      if (!occupied) return;
      throw ConfigError(fmt::format(
          "run directory '{}' exists; continue it with --resume, replace it with --overwrite, or "
          "choose another with name=...",
          folder_.string()));
    case RunMode::kResume:
      if (is_run) return;
      throw ConfigError(fmt::format(
          "--resume: there is no run in '{}' to continue; leave out --resume to start one",
          folder_.string()));
    case RunMode::kOverwrite:
      if (!occupied || is_run) return;
      throw ConfigError(fmt::format(
          "--overwrite: '{}' holds files, but no run of tbn-train; choose another with name=...",
          folder_.string()));
  }
}

void RunDirectory::create(RunMode mode) const {
  try {
    if (mode == RunMode::kOverwrite) {
      // What tbn-train made, and nothing else that someone put beside it. The configuration goes
      // last: while it is there, the folder still counts as a run that may be overwritten.
      for (const fs::path& made :
           {environment(), log(), metrics(), events(), summary(), last().parent_path(), config()}) {
        fs::remove_all(made);
      }
    }
    fs::create_directories(last().parent_path());
  } catch (const fs::filesystem_error& error) {
    throw SystemError(
        fmt::format("cannot prepare the run directory '{}': {}; choose another place "
                    "with output=...",
                    folder_.string(), error.code().message()));
  }
}

bool RunDirectory::has_checkpoint() const {
  std::error_code error;
  return fs::is_regular_file(last(), error);
}

fs::path find_checkpoint(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return path;
  const RunDirectory run(path);
  if (fs::is_regular_file(run.best(), error)) return run.best();
  if (fs::is_regular_file(run.last(), error)) return run.last();
  throw DataError(
      fmt::format("'{}' has no checkpoints/best.safetensors or "
                  "checkpoints/last.safetensors; is it a run directory of tbn-train?",
                  path.string()));
}

}  // namespace tbn
