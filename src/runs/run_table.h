// Runs side by side: what differs between them, and figures over their seeds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runs/run_record.h"

namespace tbn {

// A table of texts; the first row has the columns' names.
using TextTable = std::vector<std::vector<std::string>>;

// Of the settings that are not the same in all runs: the key and the value of each run. Names,
// places and what changes no result (train.threads, teacher.cache, ...) are left out unless `all`.
struct Difference {
  std::string key;
  std::vector<std::string> values;  // one per run
};
std::vector<Difference> differences(const std::vector<RunRecord>& runs, bool all = false);

// Runs that agree in `keys`, and in which they do: in the order of the first of each group.
struct RunGroup {
  std::vector<std::string> values;  // of the keys
  std::vector<const RunRecord*> runs;
};
// Throws ConfigError for a key that no run has, with the nearest.
std::vector<RunGroup> group_by(const std::vector<RunRecord>& runs,
                               const std::vector<std::string>& keys);

// Of runs whose settings are the same but for what changes no result, the first, a complete one
// where there is one: twice the same seed is no second figure. `dropped` are the names of the
// others.
std::vector<RunRecord> without_copies(std::vector<RunRecord> runs,
                                      std::vector<std::string>& dropped);

// The settings, train.seed and `keys` aside, in which runs of one group differ: their figures are
// means over networks or recipes, and not over seeds.
std::vector<std::string> mixed_settings(const std::vector<RunGroup>& groups,
                                        const std::vector<std::string>& keys);

// The mean of values, and their deviation (of a sample, n - 1) where there are two or more.
struct Spread {
  std::int64_t count = 0;
  double mean = 0;
  std::optional<double> deviation;
};
std::optional<Spread> spread_of(const std::vector<std::optional<double>>& values);
// "92.16 ± 0.12" with as many decimals as the measure has: 2 of per cent, 4 of an MSE.
std::string spread_text(const Spread& spread, const std::string& measure);
std::string score_text(double value, const std::string& measure);

// One row per group: the keys, how many runs, validation and test score, bits per weight, bytes of
// the layers, seconds of training. Runs that are not complete count in no figure. Throws DataError
// for runs of two measures, whose means mean nothing.
TextTable group_table(const std::vector<RunGroup>& groups, const std::vector<std::string>& keys);

// The same for programs: numbers alone, mean and deviation in columns of their own, and "complete"
// beside "runs". What is not known is an empty cell.
TextTable number_table(const std::vector<RunGroup>& groups, const std::vector<std::string>& keys);

enum class TableFormat { kText, kMarkdown, kCsv, kLatex };
// Ends with a line break. Numbers to the right; what a format gives a meaning is escaped.
std::string print_table(const TextTable& table, TableFormat format);

}  // namespace tbn
