// tbn-runs list and table.
#include <algorithm>

#include <fmt/format.h>

#include "app/runs/commands.h"
#include "app/runs/read.h"
#include "app/support/exit_codes.h"
#include "app/support/json_out.h"
#include "base/shown.h"
#include "log/progress.h"
#include "tbn/error.h"

namespace tbn::app {
namespace {

// "2026-12-01 02:46" of "2026-12-01T02:46:41Z".
std::string date_of(const RunRecord& run) {
  const Json* date = run.environment.find("date");
  if (date == nullptr || !date->is_string()) return "";
  std::string text = date->as_string().substr(0, 16);
  std::ranges::replace(text, 'T', ' ');
  return shown(text);
}

std::string seconds_of(const RunRecord& run) {
  const auto seconds = run.number("train_seconds");
  return seconds && *seconds >= 0 && *seconds < 1e9 ? duration_text(*seconds) : std::string();
}

// The settings of --by, between commas.
std::vector<std::string> keys_of(const CommandLine& line) {
  std::vector<std::string> keys;
  const std::string text = line.text("by");
  std::size_t at = 0;
  while (at <= text.size() && !text.empty()) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    keys.push_back(text.substr(at, end - at));
    if (keys.back().empty()) throw ConfigError("--by: a setting between commas is missing");
    at = end + 1;
  }
  return keys;
}

// Where --by does not say: what differs, but for the seed.
std::vector<std::string> differing_keys(const std::vector<RunRecord>& runs) {
  std::vector<std::string> keys;
  for (const Difference& difference : differences(runs)) {
    if (difference.key != "train.seed") keys.push_back(difference.key);
  }
  return keys;
}

}  // namespace

int list_runs(const CommandLine& line, const std::vector<std::string>& paths) {
  const std::vector<RunRecord> runs = read_runs(paths);
  if (line.json()) {
    Json::Array all;
    for (const RunRecord& run : runs) all.push_back(run_json(run));
    print_json(Json::object({{"runs", Json::array(std::move(all))}}));
    return kDone;
  }
  TextTable table = {{"run", "state", "epochs", "validation", "test", "training", "begun"}};
  for (const RunRecord& run : runs) {
    table.push_back({shown(run.folder.string()), to_string(run.progress),
                     fmt::format("{}/{}", run.trained, run.epochs),
                     shown_score(run.validation, run.measure), shown_score(run.test, run.measure),
                     seconds_of(run), date_of(run)});
  }
  print(print_table(table, table_format(line)));
  return kDone;
}

int tabulate_runs(const CommandLine& line, const std::vector<std::string>& paths) {
  const std::vector<RunRecord> runs = read_runs(paths);
  const std::vector<std::string> keys = line.has("by") ? keys_of(line) : differing_keys(runs);
  const TextTable table = group_table(group_by(runs, keys), keys);
  if (line.json()) {
    Json::Array rows;
    for (std::size_t r = 1; r < table.size(); ++r) {
      Json row = Json::object();
      for (std::size_t c = 0; c < table[r].size(); ++c) row[table[0][c]] = table[r][c];
      rows.push_back(std::move(row));
    }
    print_json(Json::object({{"rows", Json::array(std::move(rows))}}));
    return kDone;
  }
  print(print_table(table, table_format(line)));
  return kDone;
}

}  // namespace tbn::app
