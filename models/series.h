// What the forecasters share: [T, C] past steps in, [H, C] steps to come out.
#pragma once

#include "models/blocks.h"

namespace tbn {

OptionSpec normalize_option();

// The same linear map over time for each feature, [T, F] -> [steps, F]; its node is `name`.
Value over_time(Value x, std::int64_t steps, std::string_view name);

// A Transformer encoder (Vaswani et al. 2017, norms first) over tokens [T, F], `options` depth,
// heads, mlp, qkv and dropout: blocks.<i>.attention and .mlp, then `norm`. Throws ConfigError where
// the heads do not divide F.
Value encoder(GraphBuilder& b, Value x, const ModelOptions& options);

// Throws ConfigError unless the forecast has as many columns as the series.
void check_same_columns(const Value& series, const TaskSpec& task, const std::string& family);

// A series relative to its last step, where `options` says `normalize: last` (NLinear, Zeng et al.
// 2023): what the series' level is then does not matter to the network between `values` and
// `restore`. Otherwise the series as it is. Throws ConfigError where the input is no [T, C].
class SeriesLevel {
 public:
  SeriesLevel(Value series, const ModelOptions& options, const TaskSpec& task,
              const std::string& family);
  Value values() const { return values_; }  // [T, C]
  Value restore(Value forecast) const;      // [H, C]

 private:
  bool relative_;
  Value last_;  // [C]; the series itself where it is taken as it is
  Value values_;
};

}  // namespace tbn
