// Compares two configurations line by line as they print.
#include "train/run/trainer_resume.h"

#include <algorithm>
#include <sstream>
#include <vector>

#include <fmt/format.h>

#include "config/load.h"
#include "tbn/error.h"

namespace tbn {
namespace {

// Runs of before there was an `auto` say what they did. That it is the same now is seen by the
// graph.
void allow_auto(WeightFields& stored, const WeightFields& now) {
  const auto order = now.settings.find("order");
  if (order->second == WeightSetting("auto")) stored.settings["order"] = order->second;
}

// `config` with what may differ taken from `other`.
Config with_free_fields_of(Config config, const Config& other) {
  allow_auto(config.weights.fields, other.weights.fields);
  const std::size_t rules = std::min(config.weights.rules.size(), other.weights.rules.size());
  for (std::size_t i = 0; i < rules; ++i) {
    allow_auto(config.weights.rules[i].fields, other.weights.rules[i].fields);
  }
  config.name = other.name;
  config.output = other.output;
  config.data.root = other.data.root;
  config.data.threads = other.data.threads;
  config.data.resident = other.data.resident;
  config.teacher.cache = other.teacher.cache;
  config.train.epochs = other.train.epochs;
  config.train.max_steps = other.train.max_steps;
  config.train.device = other.train.device;
  config.train.fused_optimizer = other.train.fused_optimizer;
  config.train.cuda_graph = other.train.cuda_graph;
  config.train.threads = other.train.threads;
  config.train.checkpoint_every = other.train.checkpoint_every;
  config.train.checkpoint_minutes = other.train.checkpoint_minutes;
  config.train.eval_batch_size = other.train.eval_batch_size;
  return config;
}

std::string trimmed(const std::string& line) {
  const auto begin = line.find_first_not_of(" -");
  return begin == std::string::npos ? "(nothing)" : line.substr(begin);
}

// "3" of "epochs: 3".
std::string value_of(const std::string& line) {
  return line.substr(std::min(line.find(": ") + 2, line.size()));
}

// A line that differs, without its indent.
struct Change {
  std::string section;
  std::string now;
  std::string then;
};

std::vector<Change> changes_of(const Config& config, const Config& stored) {
  std::istringstream now(print_config(config));
  std::istringstream then(print_config(stored));
  std::vector<Change> changes;
  std::string section;
  for (std::string a, b;;) {
    const bool more_now = static_cast<bool>(std::getline(now, a));
    const bool more_then = static_cast<bool>(std::getline(then, b));
    if (!more_now && !more_then) return changes;
    if (!more_now) a.clear();
    if (!more_then) b.clear();
    if (a != b) {
      changes.push_back({section, trimmed(a), trimmed(b)});
    } else if (!a.empty() && a[0] != ' ' && a[0] != '-') {
      section = a.substr(0, a.find(':'));
    }
  }
}

}  // namespace

void check_resumable(const Config& config, const std::string& stored_yaml,
                     const std::string& source, const std::string& rename) {
  const Config stored = with_free_fields_of(parse_recorded_config(stored_yaml, source), config);
  const std::vector<Change> changes = changes_of(config, stored);
  if (changes.empty()) return;
  const Change& first = changes.front();
  throw ConfigError(fmt::format(
      "--resume: '{}' in section '{}' was '{}' when the run began ({}); change it back, or start "
      "another run with {}",
      first.now, first.section, first.then, source, rename));
}

std::string changed_settings(const Config& config, const std::string& stored_yaml,
                             const std::string& source) {
  Config then = with_free_fields_of(config, parse_recorded_config(stored_yaml, source));
  then.name = config.name;
  then.output = config.output;
  std::string text;
  for (const Change& change : changes_of(config, then)) {
    const std::size_t colon = std::min(change.now.find(':'), change.now.size());
    text += fmt::format("{}{}.{}={} (was {})", text.empty() ? "" : ", ", change.section,
                        change.now.substr(0, colon), value_of(change.now), value_of(change.then));
  }
  return text;
}

Config resumed_config(Config config, const Config& as_earlier, const std::string& stored_yaml,
                      const std::string& source) {
  const DataConfig as_then = parse_recorded_config(stored_yaml, source).data;
  const DataConfig as_now = parse_config(stored_yaml, source).data;
  if (as_then.limits != as_now.limits) config.data.limits = as_earlier.data.limits;
  if (as_then.decode != as_now.decode) config.data.decode = as_earlier.data.decode;
  if (as_then.skip_most != as_now.skip_most) {
    config.data.skip_most = as_earlier.data.skip_most;
  }
  return config;
}

}  // namespace tbn
