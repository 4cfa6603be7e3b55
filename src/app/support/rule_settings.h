// The settings of `data:` that follow from a packed file's rule and graph, where there is no
// configuration.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/source/options.h"
#include "graph/passes/units.h"
#include "tbn/graph.h"
#include "tbn/rule.h"

namespace tbn {

struct RuleSetting {
  std::string key;                                     // "data.resize"
  std::function<std::string(const DataConfig&)> text;  // its value
};

// Puts what the rule says into `config`, and returns which settings that were. Of a rule measured
// on another data set (`same_set` false) only what makes an input. Throws ConfigError for a rule
// with a step that this tbn does not know.
std::vector<RuleSetting> take_rule(DataConfig& config, const Rule& rule, bool same_set);

// What a series is read by: the rule's columns and rows, and the means and deviations of its step
// or of the network that has them itself; nothing where neither is of a series.
std::optional<SeriesRule> series_rule(const Rule& rule, const std::optional<Units>& units,
                                      bool same_set);

// Puts the sizes that a graph takes into `config`, for the data that `options` mean.
void take_sizes(DataConfig& config, const Graph& graph, const DataOptions& options);

}  // namespace tbn
