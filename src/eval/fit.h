// Whether a data set fits a network.
#pragma once

#include <string>

#include "data/source/dataset.h"
#include "tbn/graph.h"

namespace tbn {

// Why a network of these shapes cannot run or judge such samples, a clause; empty where it can.
std::string data_misfit(const Graph& graph, const SampleSpec& spec);

// Throws ConfigError, beginning with `where`, for such a network.
void check_data_fits(const Graph& graph, const SampleSpec& spec, const std::string& where);

}  // namespace tbn
