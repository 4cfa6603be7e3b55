// Reads the small files of a run; they come from outside like all others.
#include "runs/run_record.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <map>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"
#include "config/problems.h"
#include "config/yaml_tree.h"
#include "file/nearby.h"
#include "file/reader.h"
#include "tbn/error.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostBytes = std::uint64_t{256} << 20;
constexpr int kMostDepth = 4;

std::string text_of(const fs::path& path) {
  Reader reader(path, kMostBytes);
  return reader.read_text(reader.size(), "the file");
}

// A node on one line, as YAML's flow style.
std::string flow_text(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "";
    case YamlNode::Kind::kScalar:
      return node.text;
    case YamlNode::Kind::kList: {
      std::string text = "[";
      for (const YamlNode& item : node.items) {
        text += (text.size() > 1 ? ", " : "") + flow_text(item);
      }
      return text + "]";
    }
    case YamlNode::Kind::kMap: {
      std::string text = "{";
      for (const YamlEntry& entry : node.entries) {
        text += (text.size() > 1 ? ", " : "") + entry.key + ": " + flow_text(entry.value);
      }
      return text + "}";
    }
  }
  return "";
}

void add_settings(const YamlNode& node, const std::string& prefix, std::vector<RunSetting>& out) {
  for (const YamlEntry& entry : node.entries) {
    const std::string key = prefix.empty() ? entry.key : prefix + "." + entry.key;
    if (entry.value.kind == YamlNode::Kind::kMap && !entry.value.entries.empty()) {
      add_settings(entry.value, key, out);
    } else {
      out.push_back({key, flow_text(entry.value)});
    }
  }
}

std::optional<double> number_in(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

constexpr double kMostNumber = 1e15;  // of any count or size that a run has

// A count; nothing for what is none.
std::optional<std::int64_t> whole_number(std::optional<double> value) {
  if (!value || !(*value >= 0 && *value <= kMostNumber) || *value != std::floor(*value)) return {};
  return static_cast<std::int64_t>(*value);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t at = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, at));
    if (at == text.size()) return parts;
    text.remove_prefix(at + 1);
  }
}

// The rows of metrics.csv; a last line that is half written is left out.
void read_curve(const fs::path& path, RunRecord& run) {
  const std::string text = text_of(path);
  std::map<std::string_view, std::size_t> places;
  for (const std::string_view line : split(text, '\n')) {
    const std::vector<std::string_view> cells = split(line, ',');
    if (places.empty()) {
      for (std::size_t i = 0; i < cells.size(); ++i) places[cells[i]] = i;
      for (const char* measure : {"accuracy", "miou", "mse"}) {
        if (places.contains(std::string("val_") + measure)) run.measure = measure;
      }
      continue;
    }
    const auto cell = [&](const std::string& name) -> std::optional<double> {
      const auto place = places.find(name);
      if (place == places.end() || place->second >= cells.size()) return std::nullopt;
      const auto value = number_in(cells[place->second]);
      return value && std::isfinite(*value) ? value : std::nullopt;
    };
    const auto epoch = whole_number(cell("epoch"));
    if (cells.size() != places.size() || !epoch) continue;
    run.curve.push_back({.epoch = *epoch,
                         .train_loss = cell("train_loss"),
                         .val_loss = cell("val_loss"),
                         .val_score = cell("val_" + run.measure)});
  }
}

// The figure of a split in a summary, and its measure.
std::optional<double> score_of(const Json& summary, std::string_view split, std::string& measure) {
  const Json* part = summary.find(split);
  if (part == nullptr) return std::nullopt;
  for (const auto& [key, name] : {std::pair("instance_miou", "miou"), std::pair("top1", "accuracy"),
                                  std::pair("mse", "mse"), std::pair("miou", "miou")}) {
    const Json* value = part->find(key);
    if (value == nullptr || !value->is_number() || !std::isfinite(value->as_double())) continue;
    measure = name;
    return value->as_double();
  }
  return std::nullopt;
}

Json read_json(const fs::path& path) { return parse_json(text_of(path), path.string()); }

// The best row of a curve by the measure.
std::optional<double> best_score(const RunRecord& run) {
  std::optional<double> best;
  for (const EpochRow& row : run.curve) {
    if (!row.val_score) continue;
    const bool better =
        !best || (run.larger_is_better() ? *row.val_score > *best : *row.val_score < *best);
    if (better) best = row.val_score;
  }
  return best;
}

// Whether a process holds the lock. Its file stays where a training was killed, and the process
// number in it may be another's by now: the system's list of locks says it, by the file's number.
bool is_locked(const fs::path& lock) {
  struct stat status {};
  if (::stat(lock.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
  std::ifstream locks("/proc/locks");
  if (!locks) return true;
  const std::string number = ":" + std::to_string(status.st_ino) + " ";
  for (std::string line; std::getline(locks, line);) {
    if (line.find(number) != std::string::npos) return true;
  }
  return false;
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// Folders of runs in `folder`, which is none itself.
void add_runs(const fs::path& folder, int depth, std::vector<fs::path>& runs) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    std::error_code ignored;
    const bool hidden = entry->path().filename().string().starts_with('.');
    if (hidden || !entry->is_directory(ignored) || entry->is_symlink(ignored)) continue;
    if (is_run(entry->path())) {
      runs.push_back(entry->path());
    } else if (depth < kMostDepth) {
      add_runs(entry->path(), depth + 1, runs);
    }
  }
}

}  // namespace

std::string to_string(RunProgress progress) {
  switch (progress) {
    case RunProgress::kComplete:
      return "complete";
    case RunProgress::kTraining:
      return "training";
    case RunProgress::kStopped:
      return "stopped";
    case RunProgress::kBegun:
      return "begun";
  }
  return "";
}

std::vector<RunSetting> settings_of(const std::string& yaml, const std::string& source) {
  Problems problems;
  const YamlSource named{.name = std::make_shared<const std::string>(source)};
  const auto tree = parse_yaml(yaml, named, "", problems);
  if (!tree || !problems.empty() || tree->kind != YamlNode::Kind::kMap) {
    throw DataError(fmt::format("'{}': is no configuration of a run", source));
  }
  std::vector<RunSetting> settings;
  add_settings(*tree, "", settings);
  return settings;
}

std::string RunRecord::value(std::string_view key) const {
  const auto found = std::ranges::find(settings, key, &RunSetting::key);
  return found == settings.end() ? std::string() : found->value;
}

std::optional<double> RunRecord::number(std::string_view key) const {
  const Json* found = summary.find(key);
  if (found == nullptr || !found->is_number()) return std::nullopt;
  const double value = found->as_double();
  return value >= 0 && value <= kMostNumber ? std::optional(value) : std::nullopt;
}

bool is_run(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / "config.yaml", ignored) &&
         (is_there(folder / "environment.json") || is_there(folder / "checkpoints") ||
          is_there(folder / "summary.json"));
}

RunRecord read_run(const fs::path& folder) {
  if (!is_run(folder)) {
    throw DataError(fmt::format("'{}' is no run's folder", folder.string()));
  }
  RunRecord run{.folder = folder, .name = folder.filename().string()};
  if (run.name.empty()) run.name = folder.parent_path().filename().string();
  run.settings = settings_of(text_of(folder / "config.yaml"), (folder / "config.yaml").string());
  run.epochs = whole_number(number_in(run.value("train.epochs"))).value_or(0);
  if (is_there(folder / "environment.json"))
    run.environment = read_json(folder / "environment.json");
  if (is_there(folder / "metrics.csv")) read_curve(folder / "metrics.csv", run);
  if (!run.curve.empty()) run.trained = run.curve.back().epoch;
  run.validation = best_score(run);
  if (is_there(folder / "summary.json")) {
    run.summary = read_json(folder / "summary.json");
    if (!run.summary.is_object()) {
      throw DataError(
          fmt::format("'{}': is no summary of a run", (folder / "summary.json").string()));
    }
    run.progress = RunProgress::kComplete;
    if (const auto validation = score_of(run.summary, "validation", run.measure)) {
      run.validation = validation;
    }
    run.test = score_of(run.summary, "test", run.measure);
  } else if (is_locked(folder / "lock")) {
    run.progress = RunProgress::kTraining;
  } else if (!run.curve.empty() || is_there(folder / "checkpoints" / "last.safetensors")) {
    run.progress = RunProgress::kStopped;
  }
  return run;
}

std::vector<fs::path> find_runs(const std::vector<std::string>& paths) {
  std::vector<fs::path> found;
  for (const std::string& path : paths) {
    if (is_missing(path)) {
      throw DataError(fmt::format("there is no folder '{}'{}", path, nearby(path)));
    }
    if (is_run(path)) {
      found.emplace_back(path);
      continue;
    }
    std::error_code ignored;
    std::vector<fs::path> below;
    if (fs::is_directory(path, ignored)) add_runs(path, 1, below);
    if (below.empty()) throw DataError(fmt::format("'{}' holds no runs", path));
    std::ranges::sort(below);
    found.insert(found.end(), below.begin(), below.end());
  }
  std::vector<fs::path> once;
  std::set<fs::path> seen;
  for (const fs::path& folder : found) {
    std::error_code ignored;
    if (seen.insert(fs::canonical(folder, ignored)).second) once.push_back(folder);
  }
  return once;
}

}  // namespace tbn
