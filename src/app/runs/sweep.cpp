// tbn-runs sweep.
#include "runs/sweep.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string_view>

#include <fmt/format.h>

#include "app/runs/child.h"
#include "app/runs/commands.h"
#include "app/runs/read.h"
#include "app/support/exit_codes.h"
#include "app/support/json_out.h"
#include "app/support/tool_beside.h"
#include "base/counted.h"
#include "base/shown.h"
#include "config/load.h"
#include "file/atomic_write.h"
#include "tbn/error.h"

namespace tbn::app {
namespace {

// A sweep as it was asked for.
struct Sweep {
  std::string config;
  std::vector<SweepAxis> axes;
  std::vector<SweepRun> runs;
  std::vector<std::filesystem::path> folders;  // of each run
};

std::vector<std::string> settings_with_name(const SweepRun& run) {
  std::vector<std::string> settings = run.settings;
  settings.push_back("name=" + run.name);
  return settings;
}

// The configuration, which is read once for each run.
std::string config_of(const CommandLine& line) {
  std::vector<std::string> files = line.files();
  files.erase(files.begin());  // the command
  if (files.empty()) throw ConfigError("sweep: which configuration?");
  if (files.size() > 1) {
    throw ConfigError("sweep: two configurations, '" + files[0] + "' and '" + files[1] +
                      "'; a sweep is of one");
  }
  const std::string kind = other_kind(files.front());
  if (kind.empty()) return files.front();
  throw ConfigError("sweep: '" + files.front() + "' " + kind +
                    ", and each run reads the configuration: name a file");
}

// The settings as axes; `name` is that of name=, empty where there is none.
std::vector<SweepAxis> axes_of(const CommandLine& line, std::string& name) {
  std::vector<SweepAxis> axes;
  for (const std::string& setting : line.settings()) {
    SweepAxis axis = sweep_axis(setting);
    const bool again = axis.key == "name"
                           ? !name.empty()
                           : std::ranges::find(axes, axis.key, &SweepAxis::key) != axes.end();
    if (again) throw ConfigError("sweep: " + axis.key + " is given twice");
    if (axis.key != "name") {
      axes.push_back(std::move(axis));
      continue;
    }
    name = setting.substr(setting.find('=') + 1);
    if (name.empty()) throw ConfigError("sweep: name= is empty");
  }
  return axes;
}

// Each configuration is read before the first training: a wrong value in the last run is said now.
Sweep sweep_of(const CommandLine& line) {
  std::string name;
  Sweep sweep{.config = config_of(line), .axes = axes_of(line, name), .runs = {}, .folders = {}};
  std::vector<std::string> first;
  first.reserve(sweep.axes.size());
  for (const SweepAxis& axis : sweep.axes) first.push_back(axis.key + "=" + axis.values.front());
  const Config config = load_config(sweep.config, first);
  sweep.runs = tbn::sweep_runs(name.empty() ? config.name : name, sweep.axes);
  for (const SweepRun& run : sweep.runs) {
    const Config own = load_config(sweep.config, settings_with_name(run));
    sweep.folders.push_back(std::filesystem::path(own.output) / own.name);
  }
  return sweep;
}

// The settings with several values: what the runs differ in.
std::vector<std::string> swept_keys(const Sweep& sweep) {
  std::vector<std::string> keys;
  for (const SweepAxis& axis : sweep.axes) {
    if (axis.values.size() > 1 && axis.key != "train.seed") keys.push_back(axis.key);
  }
  return keys;
}

struct Failure {
  std::string name;
  int code = 0;
};

// Whether an exit code says that somebody stopped the training, and so the sweep.
bool is_stopped(int code) {
  constexpr std::array<int, 5> kStops = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGQUIT};
  return std::ranges::find(kStops, code - kSignal) != kStops.end();
}

void print_plan(const CommandLine& line, const Sweep& sweep) {
  Json::Array all;
  for (std::size_t i = 0; i < sweep.runs.size(); ++i) {
    const SweepRun& run = sweep.runs[i];
    if (line.json()) {
      Json json = Json::object();
      json["name"] = run.name;
      json["folder"] = sweep.folders[i].string();
      json["settings"] = run.settings;
      all.push_back(std::move(json));
      continue;
    }
    std::string settings;
    for (const std::string& setting : run.settings) settings += " " + setting;
    print(fmt::format("{}{}\n", shown(sweep.folders[i].string()), shown(settings)));
  }
  if (line.json()) print_json(Json::object({{"runs", Json::array(std::move(all))}}));
}

// What a training that ended well has left. Where that is no complete run `code` becomes that of a
// refusal: it was stopped when it was to have more epochs than now, for instance.
std::string outcome_of(const std::filesystem::path& folder, int& code) {
  try {
    const RunRecord run = read_run(folder);
    if (run.progress != RunProgress::kComplete) {
      code = kUsage;
      return fmt::format("not complete, {} of {} epochs by its own configuration", run.trained,
                         run.epochs);
    }
    return fmt::format("validation {}, test {}",
                       run.validation ? shown_score(run.validation, run.measure) : "none",
                       run.test ? shown_score(run.test, run.measure) : "none");
  } catch (const Error& error) {
    code = kBadData;
    return shown(error.what());
  }
}

// The command of a run.
std::vector<std::string> training(const Sweep& sweep, std::size_t i, std::string_view how) {
  std::vector<std::string> command = {tool_beside("tbn-train"), "--config", sweep.config,
                                      std::string(how)};
  if (how == "--resume=auto") command.emplace_back("--quiet");
  for (std::string& setting : settings_with_name(sweep.runs[i])) {
    command.push_back(std::move(setting));
  }
  return command;
}

// Progress. Where nobody reads it any more, the trainings go on.
class Progress {
 public:
  explicit Progress(bool silent) : silent_(silent) {}
  void say(const std::string& text) {
    if (silent_ || lost_) return;
    try {
      print(text);
      lost_ = std::fflush(stdout) != 0;
    } catch (const SystemError&) {
      lost_ = true;
    }
  }
  bool lost() const { return lost_; }

 private:
  bool silent_;
  bool lost_ = false;
};

// Of runs that failed there may be figures of earlier settings, which are none of this sweep's.
int report(const CommandLine& line, const Sweep& sweep, const std::vector<Failure>& failures) {
  std::vector<RunRecord> records;
  for (std::size_t i = 0; i < sweep.runs.size(); ++i) {
    const bool failed =
        std::ranges::find(failures, sweep.runs[i].name, &Failure::name) != failures.end();
    if (!failed && is_run(sweep.folders[i])) records.push_back(read_run(sweep.folders[i]));
  }
  if (line.json()) {
    Json::Array all;
    for (const RunRecord& record : records) all.push_back(run_json(record));
    Json::Array failed;
    for (const Failure& each : failures) {
      failed.push_back(Json::object({{"name", each.name}, {"code", each.code}}));
    }
    print_json(Json::object(
        {{"runs", Json::array(std::move(all))}, {"failed", Json::array(std::move(failed))}}));
  } else if (!records.empty()) {
    const std::vector<std::string> keys = swept_keys(sweep);
    print("\n" + print_table(group_table(group_by(records, keys), keys), table_format(line)));
  }
  if (failures.empty()) return kDone;
  for (const Failure& each : failures) {
    fmt::print(stderr, "tbn-runs: '{}' failed with exit code {}\n", shown(each.name), each.code);
  }
  const bool refused =
      std::ranges::all_of(failures, [](const Failure& each) { return each.code == kUsage; });
  fmt::print(stderr, "tbn-runs: error: {} of {} failed; {}\n", failures.size(),
             counted(std::ssize(sweep.runs), "run"),
             refused ? "mend what is said above, or choose other runs with name=..."
                     : "the same command tries them again");
  return failures.front().code;
}

}  // namespace

int sweep_runs(const CommandLine& line, const std::vector<std::string>&) {
  table_format(line);
  const Sweep sweep = sweep_of(line);
  if (line.has("dry-run")) {
    print_plan(line, sweep);
    return kDone;
  }
  std::signal(SIGPIPE, [](int) {});  // a pipe that goes away ends no training
  for (std::size_t i = 0; i < sweep.runs.size(); ++i) {
    const int code = run_child(training(sweep, i, "--dry-run"), false);
    if (is_stopped(code)) return code;
    if (code == 0) continue;
    fmt::print(stderr, "tbn-runs: error: '{}' is refused, see above; nothing was trained\n",
               shown(sweep.runs[i].name));
    return code;
  }
  std::vector<Failure> failures;
  Progress progress(line.json());
  for (std::size_t i = 0; i < sweep.runs.size(); ++i) {
    const SweepRun& run = sweep.runs[i];
    const std::string place =
        fmt::format("[{}/{}] {}: ", i + 1, sweep.runs.size(), shown(run.name));
    progress.say(place + "training\n");
    int code = run_child(training(sweep, i, "--resume=auto"), false);
    const std::string outcome =
        code == 0 ? outcome_of(sweep.folders[i], code) : fmt::format("exit code {}", code);
    progress.say(place + outcome + "\n");
    if (is_stopped(code)) {
      fmt::print(stderr, "tbn-runs: stopped; the same command goes on\n");
      return code;
    }
    if (code != 0) failures.push_back({run.name, code});
  }
  if (progress.lost())
    throw SystemError("the standard output cannot be written (is the disk full?)");
  return report(line, sweep, failures);
}

}  // namespace tbn::app
