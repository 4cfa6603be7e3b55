// Reads runs, and says which could not be.
#include "app/runs/read.h"

#include <cstdio>

#include <fmt/format.h>

#include "base/shown.h"
#include "tbn/error.h"

namespace tbn::app {

std::vector<RunRecord> read_runs(const std::vector<std::string>& paths) {
  std::vector<RunRecord> runs;
  std::string problem;
  for (const auto& folder : find_runs(paths.empty() ? std::vector<std::string>{"runs"} : paths)) {
    try {
      runs.push_back(read_run(folder));
    } catch (const DataError& error) {
      problem = error.what();
    } catch (const SystemError& error) {
      problem = error.what();
    }
    if (problem.empty()) continue;
    if (paths.size() == 1 && paths.front() == folder.string()) throw DataError(problem);
    fmt::print(stderr, "note: {}; it is left out\n", shown(problem));
    problem.clear();
  }
  if (runs.empty()) throw DataError("none of the runs can be read");
  return runs;
}

TableFormat table_format(const CommandLine& line) {
  const std::string name = line.text("format");
  if (name == "text") return TableFormat::kText;
  if (name == "md") return TableFormat::kMarkdown;
  if (name == "csv") return TableFormat::kCsv;
  if (name == "latex") return TableFormat::kLatex;
  throw ConfigError("--format: '" + name + "' is not one of text, md, csv, latex");
}

void print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
    throw SystemError("the standard output cannot be written (is the disk full?)");
  }
}

Json run_json(const RunRecord& run) {
  Json json = Json::object();
  json["name"] = run.name;
  json["folder"] = run.folder.string();
  json["state"] = to_string(run.progress);
  json["epochs"] = run.epochs;
  json["trained"] = run.trained;
  if (!run.measure.empty()) json["measure"] = run.measure;
  if (run.validation) json["validation"] = *run.validation;
  if (run.test) json["test"] = *run.test;
  for (const char* key : {"bits_per_weight", "bytes", "macs", "weights", "train_seconds"}) {
    if (run.number(key)) json[key] = run.summary.at(key);
  }
  if (const Json* date = run.environment.find("date")) json["date"] = *date;
  return json;
}

Json rows_json(const TextTable& table, std::size_t keys) {
  Json::Array rows;
  for (std::size_t r = 1; r < table.size(); ++r) {
    Json row = Json::object();
    for (std::size_t c = 0; c < table[r].size(); ++c) {
      const std::string& cell = table[r][c];
      if (c < keys) {
        row[table[0][c]] = cell;
      } else if (!cell.empty()) {
        row[table[0][c]] = parse_json(cell, table[0][c]);
      }
    }
    rows.push_back(std::move(row));
  }
  return Json::array(std::move(rows));
}

std::string shown_score(const std::optional<double>& score, const std::string& measure) {
  if (!score) return "";
  return score_text(*score, measure) + (measure == "mse" ? "" : " %");
}

}  // namespace tbn::app
