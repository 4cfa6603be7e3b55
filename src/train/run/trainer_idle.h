// Rules and groups of a configuration that match layers and parameters and still decide nothing,
// since earlier ones take all of them. (Those that match nothing are errors.)
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "tbn/graph.h"

namespace tbn {

// A sentence for each, of weights.rules and then of optim.groups, for the network of `config`.
std::vector<std::string> idle_rules(const Config& config, const Graph& graph);

}  // namespace tbn
