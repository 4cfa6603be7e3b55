// tbn-runs list and table.
#include <algorithm>
#include <functional>

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
    std::string key = text.substr(at, end - at);
    key.erase(0, key.find_first_not_of(' '));
    key.erase(key.find_last_not_of(' ') + 1);
    keys.push_back(std::move(key));
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

namespace {

// --sort: the best first, or the latest; runs without the figure last, those of one measure
// together.
void sort_runs(const CommandLine& line, std::vector<RunRecord>& runs) {
  if (!line.has("sort")) return;
  const std::string by = line.text("sort");
  if (by == "date") {
    std::ranges::stable_sort(runs, std::greater<>(), date_of);
    return;
  }
  if (by != "validation" && by != "test") {
    throw ConfigError("--sort: '" + by + "' is not one of validation, test, date");
  }
  const auto score = [&](const RunRecord& run) { return by == "test" ? run.test : run.validation; };
  std::ranges::stable_sort(runs, [&](const RunRecord& a, const RunRecord& b) {
    if (a.measure != b.measure) return a.measure < b.measure;
    const auto one = score(a);
    const auto other = score(b);
    if (!one || !other) return one.has_value() && !other;
    return a.larger_is_better() ? *one > *other : *one < *other;
  });
}

// What the reader of a table should know of it.
void print_notes(const std::vector<std::string>& dropped, const std::vector<std::string>& mixed) {
  for (const std::string& folder : dropped) {
    fmt::print(stderr, "note: '{}' has the settings of another run and is not counted\n",
               shown(folder));
  }
  if (mixed.empty()) return;
  std::string keys;
  for (const std::string& key : mixed) keys += (keys.empty() ? "" : ", ") + key;
  fmt::print(stderr,
             "note: runs of a row differ in {} as well; name it in --by to have rows apart\n",
             shown(keys));
}

}  // namespace

int list_runs(const CommandLine& line, const std::vector<std::string>& paths) {
  std::vector<RunRecord> runs = read_runs(paths);
  sort_runs(line, runs);
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
  const TableFormat format = table_format(line);
  std::vector<std::string> dropped;
  const std::vector<RunRecord> runs = without_copies(read_runs(paths), dropped);
  const std::vector<std::string> keys = line.has("by") ? keys_of(line) : differing_keys(runs);
  const std::vector<RunGroup> groups = group_by(runs, keys);
  const bool for_programs = line.json() || format == TableFormat::kCsv;
  const TextTable table = for_programs ? number_table(groups, keys) : group_table(groups, keys);
  print_notes(dropped, mixed_settings(groups, keys));
  if (line.json()) {
    print_json(Json::object({{"rows", rows_json(table, keys.size())}}));
  } else {
    print(print_table(table, format));
  }
  return kDone;
}

}  // namespace tbn::app
