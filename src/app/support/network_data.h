// Which data a network is run on, and how its samples are made. Each setting comes from the first
// of these that gives it: the command line (--data, --root, data.key=value), the rule in the
// checkpoint or the packed file, the configuration that the run recorded, the default. The user is
// told where the command line differs from the rule.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/support/options.h"
#include "config/config.h"
#include "data/registry.h"
#include "graph/passes/units.h"
#include "tbn/graph.h"
#include "tbn/rule.h"

namespace tbn {

// What is known of a network's data, from its run's checkpoint or its packed file.
struct NetworkOrigin {
  std::string path;
  std::string config_yaml;  // as the run recorded it; empty for a packed file
  Rule rule;
  Graph graph;
  std::map<std::string, std::string> metadata;  // of a packed file
  std::optional<Units> units;                   // of a packed forecaster that takes original values
};

struct NetworkData {
  DataConfig config;
  std::string input;                       // how its inputs are made, a line; may be empty
  std::shared_ptr<const Dataset> samples;  // of the split, in the network's classes
  std::vector<std::string> overridden;     // "data.resize": what the command line says otherwise
  std::vector<std::string> notes;          // sentences for the user
};

// The configuration that a run recorded, or a packed file's data set, as the command line changes
// it.
DataConfig recorded_data(const CommandLine& line, const NetworkOrigin& origin);

// --match, for the tools that take it.
void add_match_option(CommandLine& line);

// What samples are for: calibration is content with any of training, a figure is not.
enum class SampleUse { kFigure, kCalibration };

// Reads the configuration and opens the split. Throws ConfigError where nothing says which data set
// it is, or how its samples were made and held out; DataError where the data is not what the
// network was trained on: classes that it lacks, other training samples to hold some out of.
NetworkData open_network_data(const CommandLine& line, const NetworkOrigin& origin, Split split,
                              SampleUse use = SampleUse::kFigure);

// The notes to the standard error output, unless --quiet.
void print_notes(const CommandLine& line, const std::vector<std::string>& notes);

}  // namespace tbn
