// Groups, spreads, and four ways to write a table.
#include "runs/run_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

#include "base/nearest.h"
#include "base/shown.h"
#include "base/text.h"
#include "tbn/error.h"

namespace tbn {
namespace {

// What says where a run is and how it is computed, and nothing of what is computed.
constexpr std::array<std::string_view, 14> kNoResult = {"name",
                                                        "output",
                                                        "data.root",
                                                        "data.threads",
                                                        "data.resident",
                                                        "teacher.cache",
                                                        "train.threads",
                                                        "train.device",
                                                        "train.checkpoint_every",
                                                        "train.checkpoint_minutes",
                                                        "train.eval_batch_size",
                                                        "train.fused_optimizer",
                                                        "train.cuda_graph",
                                                        "train.channels_last"};

// Every key that a run has, in the order in which the runs have them.
std::vector<std::string> all_keys(const std::vector<RunRecord>& runs) {
  std::vector<std::string> keys;
  for (const RunRecord& run : runs) {
    for (const RunSetting& setting : run.settings) {
      if (std::ranges::find(keys, setting.key) == keys.end()) keys.push_back(setting.key);
    }
  }
  return keys;
}

std::string spread_cell(const std::vector<std::optional<double>>& values,
                        const std::string& measure) {
  const auto spread = spread_of(values);
  return spread ? spread_text(*spread, measure) : std::string();
}

// The mean of a number of the summaries.
std::optional<double> mean_of(const RunGroup& group, std::string_view key) {
  std::vector<std::optional<double>> values;
  values.reserve(group.runs.size());
  for (const RunRecord* run : group.runs) values.push_back(run->number(key));
  const auto spread = spread_of(values);
  return spread ? std::optional(spread->mean) : std::nullopt;
}

std::string mean_text(const RunGroup& group, std::string_view key, int decimals) {
  const auto mean = mean_of(group, key);
  if (!mean) return "";
  if (decimals == 0) return grouped(static_cast<std::uint64_t>(std::llround(*mean)));
  return fmt::format("{:.{}f}", *mean, decimals);
}

// The figures of the complete runs of a group.
struct Scores {
  std::size_t complete = 0;
  std::vector<std::optional<double>> validation;
  std::vector<std::optional<double>> test;
};
Scores scores_of(const RunGroup& group) {
  Scores scores;
  for (const RunRecord* run : group.runs) {
    if (run->progress != RunProgress::kComplete) continue;
    ++scores.complete;
    scores.validation.push_back(run->validation);
    scores.test.push_back(run->test);
  }
  return scores;
}

// The settings that decide a result, key and value.
std::vector<RunSetting> deciding_settings(const RunRecord& run) {
  std::vector<RunSetting> settings;
  for (const RunSetting& setting : run.settings) {
    if (std::ranges::find(kNoResult, setting.key) == kNoResult.end()) settings.push_back(setting);
  }
  return settings;
}

// The measure of all runs that have one.
std::string measure_of(const std::vector<RunGroup>& groups) {
  const RunRecord* first = nullptr;
  for (const RunGroup& group : groups) {
    for (const RunRecord* run : group.runs) {
      if (run->measure.empty()) continue;
      if (first == nullptr) first = run;
      if (run->measure == first->measure) continue;
      throw DataError(fmt::format("'{}' is measured by {} and '{}' by {}; tabulate them apart",
                                  first->folder.string(), first->measure, run->folder.string(),
                                  run->measure));
    }
  }
  return first == nullptr ? std::string() : first->measure;
}

bool is_number(std::string_view text) {
  return text.find_first_not_of("0123456789.,eE+- \xC2\xB1") == std::string_view::npos;
}

std::string escaped(std::string_view text, std::string_view special, std::string_view before) {
  std::string out;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) out += before;
    out += c;
  }
  return out;
}

std::string csv_cell(std::string text) {
  if (is_number(text)) std::erase(text, ',');  // of thousands
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string latex_cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\textbackslash{}";
    } else if (c == '~' || c == '^') {
      out += std::string("\\") + c + "{}";
    } else {
      if (std::string_view("&%$#_{}").find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
  }
  for (std::size_t at = 0; (at = out.find("\xC2\xB1", at)) != std::string::npos;) {
    out.replace(at, 2, "$\\pm$");
  }
  // Behind the end of a row these would be its own argument and star.
  return out.starts_with('[') || out.starts_with('*') ? "{" + out.substr(0, 1) + "}" + out.substr(1)
                                                      : out;
}

// Characters, and not bytes, of UTF-8.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

// Whether each cell of a column below its name is a number.
std::vector<bool> number_columns(const TextTable& table) {
  std::vector<bool> numbers(table.front().size(), table.size() > 1);
  for (std::size_t r = 1; r < table.size(); ++r) {
    for (std::size_t c = 0; c < numbers.size(); ++c) {
      numbers[c] = numbers[c] && is_number(table[r][c]);
    }
  }
  return numbers;
}

std::string text_table(const TextTable& table) {
  const std::vector<bool> numbers = number_columns(table);
  std::vector<std::size_t> widths(table.front().size());
  for (const auto& row : table) {
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width_of(row[c]));
  }
  std::string out;
  for (const auto& row : table) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string blanks(widths[c] - width_of(row[c]), ' ');
      line += (c > 0 ? "  " : "") + (numbers[c] ? blanks + row[c] : row[c] + blanks);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string markdown_table(const TextTable& table) {
  const std::vector<bool> numbers = number_columns(table);
  std::string out;
  for (std::size_t r = 0; r < table.size(); ++r) {
    out += '|';
    for (const std::string& cell : table[r]) out += " " + escaped(cell, "|\\`*_<", "\\") + " |";
    out += '\n';
    if (r > 0) continue;
    out += '|';
    for (const bool number : numbers) out += number ? "---:|" : "---|";
    out += '\n';
  }
  return out;
}

std::string csv_table(const TextTable& table) {
  std::string out;
  for (const auto& row : table) {
    for (std::size_t c = 0; c < row.size(); ++c) out += (c > 0 ? "," : "") + csv_cell(row[c]);
    out += '\n';
  }
  return out;
}

std::string latex_table(const TextTable& table) {
  std::string out = "\\begin{tabular}{";
  for (const bool number : number_columns(table)) out += number ? 'r' : 'l';
  out += "}\n\\hline\n";
  for (std::size_t r = 0; r < table.size(); ++r) {
    for (std::size_t c = 0; c < table[r].size(); ++c) {
      out += (c > 0 ? " & " : "") + latex_cell(table[r][c]);
    }
    out += r == 0 ? " \\\\\n\\hline\n" : " \\\\\n";
  }
  return out + "\\hline\n\\end{tabular}\n";
}

}  // namespace

std::vector<Difference> differences(const std::vector<RunRecord>& runs, bool all) {
  std::vector<Difference> found;
  for (const std::string& key : all_keys(runs)) {
    if (!all && std::ranges::find(kNoResult, key) != kNoResult.end()) continue;
    Difference difference{.key = key};
    for (const RunRecord& run : runs) difference.values.push_back(run.value(key));
    const bool same = std::ranges::all_of(
        difference.values, [&](const std::string& v) { return v == difference.values.front(); });
    if (!same) found.push_back(std::move(difference));
  }
  return found;
}

std::vector<RunGroup> group_by(const std::vector<RunRecord>& runs,
                               const std::vector<std::string>& keys) {
  const std::vector<std::string> known = all_keys(runs);
  for (const std::string& key : keys) {
    if (std::ranges::find(known, key) != known.end()) continue;
    throw ConfigError("--by: no run has the setting " + in_quotes(key) +
                      did_you_mean(nearest(key, known)));
  }
  std::vector<RunGroup> groups;
  for (const RunRecord& run : runs) {
    std::vector<std::string> values;
    values.reserve(keys.size());
    for (const std::string& key : keys) values.push_back(run.value(key));
    auto group = std::ranges::find(groups, values, &RunGroup::values);
    if (group == groups.end()) group = groups.insert(groups.end(), {.values = values, .runs = {}});
    group->runs.push_back(&run);
  }
  return groups;
}

std::vector<RunRecord> without_copies(std::vector<RunRecord> runs,
                                      std::vector<std::string>& dropped) {
  std::vector<RunRecord> kept;
  std::vector<std::vector<RunSetting>> settings;
  for (RunRecord& run : runs) {
    std::vector<RunSetting> own = deciding_settings(run);
    const auto same = std::ranges::find(settings, own);
    if (same == settings.end()) {
      settings.push_back(std::move(own));
      kept.push_back(std::move(run));
      continue;
    }
    RunRecord& first = kept[static_cast<std::size_t>(same - settings.begin())];
    if (first.progress != RunProgress::kComplete && run.progress == RunProgress::kComplete) {
      std::swap(first, run);
    }
    dropped.push_back(run.folder.string());
  }
  return kept;
}

std::vector<std::string> mixed_settings(const std::vector<RunGroup>& groups,
                                        const std::vector<std::string>& keys) {
  std::vector<std::string> mixed;
  for (const RunGroup& group : groups) {
    std::vector<RunRecord> runs;
    runs.reserve(group.runs.size());
    for (const RunRecord* run : group.runs) runs.push_back(*run);
    for (const Difference& each : differences(runs)) {
      const bool named = each.key == "train.seed" ||
                         std::ranges::find(keys, each.key) != keys.end() ||
                         std::ranges::find(mixed, each.key) != mixed.end();
      if (!named) mixed.push_back(each.key);
    }
  }
  return mixed;
}

std::optional<Spread> spread_of(const std::vector<std::optional<double>>& values) {
  Spread spread;
  double sum = 0;
  for (const auto& value : values) {
    if (!value) continue;
    ++spread.count;
    sum += *value;
  }
  if (spread.count == 0) return std::nullopt;
  spread.mean = sum / static_cast<double>(spread.count);
  if (spread.count == 1) return spread;
  double squares = 0;
  for (const auto& value : values) {
    if (value) squares += (*value - spread.mean) * (*value - spread.mean);
  }
  spread.deviation = std::sqrt(squares / static_cast<double>(spread.count - 1));
  return spread;
}

std::string score_text(double value, const std::string& measure) {
  return fmt::format("{:.{}f}", value, measure == "mse" ? 4 : 2);
}

std::string spread_text(const Spread& spread, const std::string& measure) {
  std::string text = score_text(spread.mean, measure);
  if (spread.deviation) text += " \xC2\xB1 " + score_text(*spread.deviation, measure);
  return text;
}

TextTable group_table(const std::vector<RunGroup>& groups, const std::vector<std::string>& keys) {
  const std::string measure = measure_of(groups);
  const std::string unit = measure == "mse" ? "" : ", %";
  TextTable table(1);
  for (const std::string& key : keys) table[0].push_back(shown(key));
  for (const std::string& column : {std::string("runs"), "validation " + measure + unit,
                                    "test " + measure + unit, std::string("bits per weight"),
                                    std::string("bytes of layers"), std::string("training, s")}) {
    table[0].push_back(column);
  }
  for (const RunGroup& group : groups) {
    std::vector<std::string> row;
    row.reserve(table[0].size());
    for (const std::string& value : group.values) row.push_back(shown(value));
    const Scores scores = scores_of(group);
    row.push_back(scores.complete == group.runs.size()
                      ? std::to_string(scores.complete)
                      : fmt::format("{} of {}", scores.complete, group.runs.size()));
    row.push_back(spread_cell(scores.validation, measure));
    row.push_back(spread_cell(scores.test, measure));
    row.push_back(mean_text(group, "bits_per_weight", 3));
    row.push_back(mean_text(group, "bytes", 0));
    const auto seconds = mean_of(group, "train_seconds");
    row.push_back(mean_text(group, "train_seconds", seconds && *seconds < 100 ? 1 : 0));
    table.push_back(std::move(row));
  }
  return table;
}

TextTable number_table(const std::vector<RunGroup>& groups, const std::vector<std::string>& keys) {
  const std::string measure = measure_of(groups);
  TextTable table(1, keys);
  for (const std::string& column :
       {std::string("runs"), std::string("complete"), "validation_" + measure,
        "validation_" + measure + "_deviation", "test_" + measure, "test_" + measure + "_deviation",
        std::string("bits_per_weight"), std::string("bytes"), std::string("train_seconds")}) {
    table[0].push_back(column);
  }
  const auto number = [](const std::optional<double>& value) {
    return value ? fmt::format("{:.10g}", *value) : std::string();
  };
  for (const RunGroup& group : groups) {
    std::vector<std::string> row = group.values;
    const Scores scores = scores_of(group);
    row.push_back(std::to_string(group.runs.size()));
    row.push_back(std::to_string(scores.complete));
    for (const auto& values : {scores.validation, scores.test}) {
      const auto spread = spread_of(values);
      row.push_back(spread ? number(spread->mean) : std::string());
      row.push_back(spread ? number(spread->deviation) : std::string());
    }
    for (const char* key : {"bits_per_weight", "bytes", "train_seconds"}) {
      row.push_back(number(mean_of(group, key)));
    }
    table.push_back(std::move(row));
  }
  return table;
}

std::string print_table(const TextTable& table, TableFormat format) {
  switch (format) {
    case TableFormat::kText:
      return text_table(table);
    case TableFormat::kMarkdown:
      return markdown_table(table);
    case TableFormat::kCsv:
      return csv_table(table);
    case TableFormat::kLatex:
      return latex_table(table);
  }
  return "";
}

}  // namespace tbn
