// The commands of tbn-runs. Each takes the free arguments behind its name.
#pragma once

#include <string>
#include <vector>

#include "app/support/options.h"

namespace tbn::app {

// Runs below folders, a line each.
int list_runs(const CommandLine& line, const std::vector<std::string>& paths);
// One run: what its configuration says beside the defaults, its curve, what it scored.
int show_run(const CommandLine& line, const std::vector<std::string>& paths);
// What differs between runs, and what they scored.
int compare_runs(const CommandLine& line, const std::vector<std::string>& paths);
// Means and deviations of runs that agree in the settings of --by.
int tabulate_runs(const CommandLine& line, const std::vector<std::string>& paths);
// Trains every combination of settings; `arguments` are the configuration and key=a,b,...
int sweep_runs(const CommandLine& line, const std::vector<std::string>& arguments);

}  // namespace tbn::app
