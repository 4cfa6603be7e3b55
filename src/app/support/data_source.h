// Which data a network is run on: what a run's configuration or a packed file says, and what the
// command line says instead (--data, --root, data.key=value).
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "app/support/options.h"
#include "config/config.h"
#include "tbn/graph.h"

namespace tbn {

// The configuration of the data that a run recorded as `yaml`, and what --data, --root and the
// settings of the command line say instead.
DataConfig data_config(const CommandLine& line, const std::string& yaml, const std::string& source);

// That of a packed network: the data set it names, or --data, in the sizes that its graph takes.
// Throws ConfigError where neither names a known one.
DataConfig packed_data_config(const CommandLine& line, const Graph& graph,
                              const std::map<std::string, std::string>& metadata,
                              const std::filesystem::path& path);

}  // namespace tbn
