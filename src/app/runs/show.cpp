// tbn-runs show and compare.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "app/runs/commands.h"
#include "app/runs/read.h"
#include "app/support/exit_codes.h"
#include "app/support/json_out.h"
#include "base/shown.h"
#include "config/config.h"
#include "config/load.h"
#include "tbn/error.h"

namespace tbn::app {
namespace {

// The values of a curve as eighths of a line's height: "▁▂▅▇".
std::string sparkline(const std::vector<double>& values, std::size_t most) {
  if (values.empty()) return "";
  const auto [low, high] = std::ranges::minmax(values);
  std::string out;
  const std::size_t count = std::min(values.size(), most);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t place = count == 1 ? 0 : i * (values.size() - 1) / (count - 1);
    const double share = high > low ? (values[place] - low) / (high - low) : 0.5;
    const int level = std::clamp(static_cast<int>(std::lround(share * 7)), 0, 7);
    out += std::string("\xE2\x96") + static_cast<char>(0x81 + level);
  }
  return out;
}

// A part of each row that has it.
template <class Part>
std::vector<double> values_of(const RunRecord& run, const Part& part) {
  std::vector<double> values;
  for (const EpochRow& row : run.curve) {
    if (const std::optional<double> value = part(row)) values.push_back(*value);
  }
  return values;
}

// The configuration that names a network and nothing else. One of a later tbn, and one composed of
// layers, which has no defaults, is compared with the defaults of the first.
std::string defaults_for(const std::string& type) {
  try {
    return print_config(parse_config("model: {type: " + type + "}", "defaults"));
  } catch (const ConfigError&) {
    return reference_config();
  }
}

// The settings that are not the defaults, by the configuration's own text.
std::vector<RunSetting> own_settings(const RunRecord& run) {
  RunRecord standard;
  standard.settings = settings_of(defaults_for(run.value("model.type")), "the defaults");
  const auto type = std::ranges::find(standard.settings, "model.type", &RunSetting::key);
  if (type != standard.settings.end()) type->value = ModelConfig().type;
  std::vector<RunSetting> own;
  for (const RunSetting& setting : run.settings) {
    if (setting.value != standard.value(setting.key)) own.push_back(setting);
  }
  return own;
}

TextTable settings_table(const std::vector<RunSetting>& settings) {
  TextTable table;
  for (const RunSetting& setting : settings) {
    table.push_back({shown(setting.key), shown(setting.value)});
  }
  return table;
}

void add_number(const RunRecord& run, const char* key, const std::string& unit, int decimals,
                TextTable& table) {
  if (const auto value = run.number(key)) {
    table.push_back({unit, fmt::format("{:.{}f}", *value, decimals)});
  }
}

TextTable facts(const RunRecord& run) {
  TextTable table = {{"state", fmt::format("{}, {} of {} epochs", to_string(run.progress),
                                           run.trained, run.epochs)}};
  const std::string measure = run.measure;
  if (run.validation)
    table.push_back({"validation " + measure, shown_score(run.validation, measure)});
  if (run.test) table.push_back({"test " + measure, shown_score(run.test, measure)});
  add_number(run, "best_epoch", "best epoch", 0, table);
  add_number(run, "weights", "weights", 0, table);
  add_number(run, "bits_per_weight", "bits per weight", 3, table);
  add_number(run, "bytes", "bytes of layers", 0, table);
  add_number(run, "macs", "multiply-adds", 0, table);
  add_number(run, "train_seconds", "training, s", 1, table);
  for (const char* key : {"date", "device", "cpu", "tbn", "libtorch"}) {
    const Json* value = run.environment.find(key);
    if (value != nullptr && value->is_string()) table.push_back({key, shown(value->as_string())});
  }
  return table;
}

// Columns without a heading.
std::string print_rows(TextTable table) {
  if (table.empty()) return "";
  table.insert(table.begin(), std::vector<std::string>(table.front().size()));
  const std::string text = print_table(table, TableFormat::kText);
  return text.substr(text.find('\n') + 1);
}

std::string curves(const RunRecord& run) {
  constexpr std::size_t kWidth = 60;
  std::string text;
  const auto add = [&](const std::string& name, const std::vector<double>& values) {
    if (values.size() < 2) return;
    text += fmt::format("{:<20}  {}  {:.4g} to {:.4g}\n", name, sparkline(values, kWidth),
                        values.front(), values.back());
  };
  add("training loss", values_of(run, [](const EpochRow& row) { return row.train_loss; }));
  add("validation loss", values_of(run, [](const EpochRow& row) { return row.val_loss; }));
  add("validation " + run.measure,
      values_of(run, [](const EpochRow& row) { return row.val_score; }));
  return text;
}

}  // namespace

int show_run(const CommandLine& line, const std::vector<std::string>& paths) {
  if (paths.size() != 1) throw ConfigError("show: name one run's folder");
  const std::string below = "runs/" + paths.front();
  if (!is_run(paths.front()) && is_run(below)) {
    throw DataError("'" + paths.front() + "' is no run's folder; '" + below + "' is one");
  }
  const RunRecord run = read_run(paths.front());
  if (line.json()) {
    Json json = run_json(run);
    Json settings = Json::object();
    for (const RunSetting& setting : own_settings(run)) settings[setting.key] = setting.value;
    json["settings"] = std::move(settings);
    Json::Array rows;
    for (const EpochRow& row : run.curve) {
      Json each = Json::object();
      each["epoch"] = row.epoch;
      if (row.train_loss) each["train_loss"] = *row.train_loss;
      if (row.val_loss) each["val_loss"] = *row.val_loss;
      if (row.val_score) each["val_score"] = *row.val_score;
      rows.push_back(std::move(each));
    }
    json["curve"] = Json::array(std::move(rows));
    print_json(json);
    return kDone;
  }
  print(shown(run.folder.string()) + "\n\n" + print_rows(facts(run)));
  const std::string curve = curves(run);
  if (!curve.empty()) print("\n" + curve);
  print("\nsettings that are not the defaults:\n" + print_rows(settings_table(own_settings(run))));
  return kDone;
}

int compare_runs(const CommandLine& line, const std::vector<std::string>& paths) {
  const std::vector<RunRecord> runs = read_runs(paths);
  if (runs.size() < 2) throw ConfigError("compare: name two runs or more, or a folder of them");
  const std::vector<Difference> found = differences(runs, line.has("all"));
  if (line.json()) {
    Json::Array all;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      Json json = run_json(runs[i]);
      Json settings = Json::object();
      for (const Difference& each : found) settings[each.key] = each.values[i];
      json["settings"] = std::move(settings);
      all.push_back(std::move(json));
    }
    print_json(Json::object({{"runs", Json::array(std::move(all))}}));
    return kDone;
  }
  TextTable table(1, {"run"});
  for (const Difference& each : found) table[0].push_back(shown(each.key));
  table[0].insert(table[0].end(), {"state", "validation", "test"});
  for (std::size_t i = 0; i < runs.size(); ++i) {
    // The name alone where it tells the runs apart.
    const auto same = std::ranges::count(runs, runs[i].name, &RunRecord::name);
    std::vector<std::string> row = {shown(same > 1 ? runs[i].folder.string() : runs[i].name)};
    for (const Difference& each : found) row.push_back(shown(each.values[i]));
    row.push_back(to_string(runs[i].progress));
    row.push_back(shown_score(runs[i].validation, runs[i].measure));
    row.push_back(shown_score(runs[i].test, runs[i].measure));
    table.push_back(std::move(row));
  }
  constexpr std::size_t kFew = 4;  // so many stand side by side, a line per setting
  if (runs.size() <= kFew && table_format(line) == TableFormat::kText) {
    TextTable turned(table[0].size());
    for (const auto& row : table) {
      for (std::size_t c = 0; c < row.size(); ++c) turned[c].push_back(row[c]);
    }
    table = std::move(turned);
  }
  print(print_table(table, table_format(line)));
  return kDone;
}

}  // namespace tbn::app
