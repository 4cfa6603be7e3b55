// Decides by the table of states: first without changing anything, then again under the lock.
#include "train/run/open_run.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/load.h"
#include "file/reader.h"
#include "tbn/error.h"
#include "train/executor/device.h"
#include "train/run/trainer_resume.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxConfigBytes = std::uint64_t{16} << 20;

enum class Start { kBegin, kReplace, kFromLast, kFromBest, kDone };

std::string quoted(const RunDirectory& run) { return "'" + run.folder().string() + "'"; }

// Whether `path` is the run's folder or lies in it, whatever the way there.
bool is_of(const RunDirectory& run, const fs::path& path) {
  if (path.empty()) return false;
  std::error_code error;
  const fs::path folder = fs::weakly_canonical(run.folder(), error);
  const fs::path other = fs::weakly_canonical(path, error);
  const auto ends = std::mismatch(folder.begin(), folder.end(), other.begin(), other.end());
  return !folder.empty() && ends.first == folder.end();
}

// A run cannot be made again, nor resumed, from what its own first save took away. Its own kept
// outputs are none of its sources: it makes them anew.
void check_keeps_sources(const RunDirectory& run, const Config& config) {
  const std::pair<const char*, const std::string*> sources[] = {
      {"teacher.from", &config.teacher.from},
      {"teacher.cache", &config.teacher.cache},
      {"init.from", &config.init.from}};
  for (const auto& [key, from] : sources) {
    if (!is_of(run, *from)) continue;
    if (from == &config.teacher.cache && keeps_outputs_itself(config)) continue;
    throw ConfigError(fmt::format(
        "{}: '{}' is of the run that --overwrite replaces; choose another with name=...", key,
        *from));
  }
}

// Whether a run that ended so has all that the configuration asks for.
bool is_long_enough(const RunResult& result, const TrainConfig& train) {
  return result.epochs >= train.epochs || (train.max_steps > 0 && result.steps >= train.max_steps);
}

// Reads a checkpoint whose damage leaves the other one as the way out.
Checkpoint read_state(const RunDirectory& run, const fs::path& path, bool has_best) {
  try {
    return read_checkpoint(path);
  } catch (const DataError& error) {
    std::string way_out = "--overwrite begins anew";
    if (has_best && path == run.last()) {
      try {
        const std::int64_t epoch = read_checkpoint(run.best()).progress.best_epoch + 1;
        way_out = fmt::format("--resume=best goes back to best.safetensors, of epoch {}", epoch);
      } catch (const DataError&) {
        way_out = "best.safetensors is damaged too; --overwrite begins anew";
      }
    }
    throw DataError(fmt::format("{}; {}", error.what(), way_out));
  }
}

[[noreturn]] void refuse_new(const RunDirectory& run, const RunContents& contents) {
  if (contents.result) {
    throw ConfigError(fmt::format(
        "run directory {} holds a run that is complete; make it longer with --resume and a larger "
        "train.epochs, replace it with --overwrite, or choose another with name=...",
        quoted(run)));
  }
  throw ConfigError(
      fmt::format("run directory {} exists; continue it with --resume, replace it with "
                  "--overwrite, or choose another with name=...",
                  quoted(run)));
}

[[noreturn]] void refuse_unsaved(const RunDirectory& run) {
  throw ConfigError(
      fmt::format("--resume: the run in {} stopped before its first save; --resume=auto or "
                  "--overwrite begins it again",
                  quoted(run)));
}

[[noreturn]] void refuse_best(const RunDirectory& run) {
  const std::int64_t epoch = read_state(run, run.best(), true).progress.best_epoch + 1;
  throw ConfigError(
      fmt::format("--resume: there is no last.safetensors in '{}'; best.safetensors is of epoch "
                  "{}: --resume=best continues from it",
                  run.checkpoints().string(), epoch));
}

Start decide_last(const RunDirectory& run, const RunContents& contents, const Config& config,
                  RunMode mode) {
  if (mode == RunMode::kResumeBest) {
    if (contents.has_best) return Start::kFromBest;
    throw ConfigError(
        fmt::format("--resume=best: there is no best.safetensors in '{}'; --resume continues from "
                    "last.safetensors",
                    run.checkpoints().string()));
  }
  const bool is_done = contents.result && is_long_enough(*contents.result, config.train);
  return mode == RunMode::kResumeAuto && is_done ? Start::kDone : Start::kFromLast;
}

// The table, but for what only reading the checkpoints tells.
Start decide(const RunDirectory& run, const RunContents& contents, const Config& config,
             RunMode mode) {
  const RunState state = contents.state;
  if (state == RunState::kForeign) {
    throw ConfigError(
        fmt::format("run directory {} holds files, but no run of tbn-train; choose another with "
                    "name=...",
                    quoted(run)));
  }
  if (state == RunState::kNothing) {
    if (mode != RunMode::kResume && mode != RunMode::kResumeBest) return Start::kBegin;
    throw ConfigError(
        fmt::format("--resume: there is no run in {}; --resume=auto starts one", quoted(run)));
  }
  if (mode == RunMode::kOverwrite) {
    check_keeps_sources(run, config);
    return Start::kReplace;
  }
  if (mode == RunMode::kNew) refuse_new(run, contents);
  if (state == RunState::kUnsaved) {
    if (mode == RunMode::kResumeAuto) return Start::kReplace;
    refuse_unsaved(run);
  }
  if (state == RunState::kLast) return decide_last(run, contents, config, mode);
  if (mode == RunMode::kResume) refuse_best(run);
  const bool is_done = contents.result && is_long_enough(*contents.result, config.train);
  return mode == RunMode::kResumeAuto && is_done ? Start::kDone : Start::kFromBest;
}

// What a best checkpoint says of itself. That of an epoch which a step limit cut short is there for
// want of a whole one, which takes its place; an older one knows its loss by its metrics alone.
TrainProgress claim_of(const Checkpoint& best) {
  TrainProgress claim = best.progress;
  if (claim.step_in_epoch > 0) claim.best_score.reset();
  if (!claim.best_loss) claim.best_loss = best.metrics.val_loss;
  return claim;
}

// What `best` says of itself: it is what a later epoch must beat. None where there is none that
// could be used.
std::optional<TrainProgress> best_of(OpenRun& run, const RunContents& contents) {
  if (!contents.has_best) return std::nullopt;
  if (run.is_best) return claim_of(*run.from);
  try {
    const Checkpoint best = read_checkpoint(run.directory.best());
    if (best.graph == run.from->graph) return claim_of(best);
    run.notes.push_back(fmt::format("'{}' is of another network: the next epoch replaces it",
                                    run.directory.best().string()));
  } catch (const DataError& error) {
    run.notes.push_back(fmt::format("{}: the next epoch replaces it", error.what()));
  }
  return std::nullopt;
}

void note_start(OpenRun& run, RunState state, RunMode mode) {
  if (mode != RunMode::kResumeAuto) return;
  if (run.replaces) {
    run.notes.push_back(fmt::format("the run in {} stopped before its first save: it begins again",
                                    quoted(run.directory)));
  } else if (run.is_best) {
    run.notes.push_back(
        fmt::format("there is no last.safetensors: resuming from best.safetensors, of epoch {}",
                    run.from->progress.best_epoch + 1));
  } else if (state == RunState::kNothing) {
    run.notes.push_back(
        fmt::format("there is no run in {} to resume: it starts now", quoted(run.directory)));
  }
}

// Whether the configuration may be that of the run which `yaml` began, with what is younger as it
// was then. Throws ConfigError where it is another.
void take_settings(OpenRun& run, const Config& as_earlier, const std::string& yaml,
                   const std::string& where) {
  TrainPrecision& precision = run.config.train.precision;
  if (precision == TrainPrecision::kAuto) {
    precision = parse_recorded_config(yaml, where).train.precision;
    run.notes.push_back(
        fmt::format("train.precision: auto is {}, as the run began", word_of(precision)));
  }
  run.config = resumed_config(run.config, as_earlier, yaml, where);
  check_resumable(run.config, yaml, where);
}

// A run that is complete is not continued, and what was asked for is not done: it is said where
// that is something else than what the run was.
void compare_done(OpenRun& run, const Config& as_earlier, RunState state) {
  const fs::path path = state == RunState::kLast ? run.directory.last() : run.directory.best();
  std::string yaml;
  try {
    yaml = read_checkpoint(path).config_yaml;
  } catch (const DataError& error) {
    run.notes.push_back(fmt::format("{}; the result is that of summary.json", error.what()));
    return;
  }
  take_settings(run, as_earlier, yaml, path.string());
  const std::string changes = changed_settings(run.config, yaml, path.string());
  if (changes.empty()) return;
  run.notes.push_back(
      fmt::format("the run is complete and was not continued, with other settings: {}", changes));
}

// Says why nothing is trained, and what that leaves of the run.
void note_end(OpenRun& run, const TrainConfig& recorded) {
  const TrainProgress& p = run.from->progress;
  const TrainConfig& asked = run.config.train;
  const std::string who = run.is_best ? "best.safetensors" : "the run";
  const std::string stays = run.is_best ? "; the folder stays as it is" : "";
  const bool by_epochs = p.epoch >= asked.epochs;
  run.notes.push_back(fmt::format("train.{} is {}, and {} has done {}: nothing is left to train{}",
                                  by_epochs ? "epochs" : "max_steps",
                                  by_epochs ? asked.epochs : asked.max_steps, who,
                                  by_epochs ? p.epoch : p.global_step, stays));
  if (run.is_complete || run.is_best) return;
  const std::string limit =
      recorded.max_steps > 0 ? fmt::format(", train.max_steps={}", recorded.max_steps) : "";
  run.notes.push_back(
      fmt::format("the run is not complete, and no summary.json is written: it was recorded with "
                  "train.epochs={}{}; --resume {} trains on to there",
                  recorded.epochs, limit, run.directory.folder().string()));
}

void read_from(OpenRun& run, const RunContents& contents, bool best, const Config& as_earlier) {
  run.is_best = best;
  run.from_path = best ? run.directory.best() : run.directory.last();
  run.from = read_state(run.directory, run.from_path, contents.has_best);
  const std::string where = run.from_path.string();
  take_settings(run, as_earlier, run.from->config_yaml, where);
  run.best = best_of(run, contents);
  if (has_work(run.from->progress, run.config.train)) return;
  const TrainConfig recorded = parse_recorded_config(run.from->config_yaml, where).train;
  run.is_at_end = true;
  // Where there is a `last`, a `best` tells nothing of the end.
  run.is_complete = best && contents.state == RunState::kLast
                        ? contents.result.has_value()
                        : !has_work(run.from->progress, recorded);
  note_end(run, recorded);
}

}  // namespace

bool keeps_outputs_itself(const Config& config) {
  if (config.teacher.cache.empty()) return true;
  const auto whole = [](const fs::path& path) {
    std::error_code error;
    return fs::weakly_canonical(fs::absolute(path, error), error);
  };
  const fs::path own = RunDirectory(fs::path(config.output) / config.name).teacher_cache();
  const fs::path named = whole(config.teacher.cache);
  return !named.empty() && named == whole(own);
}

bool has_work(const TrainProgress& progress, const TrainConfig& train) {
  if (progress.epoch >= train.epochs) return false;
  if (train.max_steps == 0 || progress.global_step < train.max_steps) return true;
  return progress.awaits_validation && progress.global_step == train.max_steps;
}

OpenRun open_run(const Config& config, RunMode mode,
                 const std::function<void(const std::string&)>& waits,
                 std::chrono::duration<double> most_wait, const Config* as_earlier) {
  OpenRun run{.config = config, .directory = RunDirectory(fs::path(config.output) / config.name)};
  const RunDirectory& directory = run.directory;
  RunContents contents = directory.look();
  // Whose folder is refused keeps it as it is; in one that has a lock, its owner comes first.
  if (!contents.has_lock || contents.state == RunState::kForeign) {
    decide(directory, contents, config, mode);
  }
  LockOptions options;
  if (mode == RunMode::kResumeAuto) options.wait = most_wait;
  options.waits = [&](const std::string& owner) {
    if (!waits) return;
    waits(fmt::format("run directory {} is in use by {}: waiting up to {:.0f} s for its end",
                      quoted(directory), owner, most_wait.count()));
  };
  run.lock = std::make_unique<RunLock>(directory.folder(), options);
  if (!run.lock->note().empty()) run.notes.push_back(run.lock->note());
  contents = directory.look();
  const Start start = decide(directory, contents, config, mode);
  directory.sweep();
  run.result = std::move(contents.result);
  run.replaces = start == Start::kReplace;
  run.is_done = start == Start::kDone;
  const Config& earlier = as_earlier != nullptr ? *as_earlier : config;
  if (start == Start::kFromLast || start == Start::kFromBest) {
    read_from(run, contents, start == Start::kFromBest, earlier);
  }
  if (run.is_done) compare_done(run, earlier, contents.state);
  // What is recorded is how the run multiplies, not that it was to choose.
  TrainConfig& train = run.config.train;
  if (train.precision == TrainPrecision::kAuto) {
    const PrecisionChoice choice = choose_precision(train.precision, resolve_device(train.device));
    train.precision = choice.precision;
    run.notes.push_back(choice.note);
  }
  note_start(run, contents.state, mode);
  return run;
}

bool is_done_already(const Config& config) {
  const RunContents contents = RunDirectory(fs::path(config.output) / config.name).look();
  return contents.result && is_long_enough(*contents.result, config.train) &&
         (contents.state == RunState::kLast || contents.state == RunState::kBest);
}

StoredConfig stored_config(const fs::path& folder, RunMode mode) {
  const RunDirectory run(folder);
  const RunContents contents = run.look();
  const bool has_last = contents.state == RunState::kLast;
  const bool wants_best = mode == RunMode::kResumeBest || !has_last;
  if (contents.has_best && wants_best) {
    return {read_state(run, run.best(), true).config_yaml, run.best()};
  }
  if (has_last) return {read_state(run, run.last(), contents.has_best).config_yaml, run.last()};
  if (contents.state == RunState::kUnsaved) {
    Reader reader(run.config(), kMaxConfigBytes);
    return {reader.read_text(reader.size(), "the configuration"), run.config(), false};
  }
  throw ConfigError(fmt::format(
      "--resume: there is no run in {}; --config <file> says what to train", quoted(run)));
}

}  // namespace tbn
