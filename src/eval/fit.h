// Whether a data set fits a network.
#pragma once

#include <string>

#include "data/source/dataset.h"
#include "tbn/graph.h"

namespace tbn {

// Throws ConfigError, beginning with `where`, where a network of these shapes cannot run or judge
// such samples.
void check_data_fits(const Graph& graph, const SampleSpec& spec, const std::string& where);

}  // namespace tbn
