// A search that trains: from a space and a budget to a pick, in a folder that keeps what was done.
// No LibTorch type in this header, so that the tool compiles quickly.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "config/config.h"
#include "search/cost.h"

namespace tbn {

enum class SearchMethod {
  kSupernet,     // shared weights, trained once
  kSensitivity,  // a short training of each choice of each layer alone
};

struct SearchSettings {
  SearchMethod method = SearchMethod::kSupernet;
  std::int64_t epochs = 8;          // of the supernet, or of each training
  double near = 0.15;               // of the budget: random networks of a step
  std::int64_t recalibrate = 2048;  // training samples for the statistics of norms
  std::int64_t population = 64;
  std::int64_t generations = 20;
  Budget budget;
  // What the space was made of, for the record.
  ChoiceLimits choices;
  std::vector<std::string> fixed;
};

struct SearchPlace {
  std::filesystem::path folder;
  bool resumes = false;
  std::FILE* console = stdout;
};

struct SearchOutcome {
  int signal = 0;  // that stopped it; 0: none did
  Pick pick;
  std::string how;  // how it was found, for the head of its file
};

// `config` is that of the first choices of the meter's space. The folder holds
//   search.json       the configuration and the settings, which a resumed search must have too
//   search.csv        every network that was measured
//   search.log        what the console was told
//   supernet.safetensors   the state of the shared weights
// Throws ConfigError where the folder holds a search and `resumes` is not set, or none and it is,
// and where another configuration or other settings began it; DataError, SystemError, and
// NonFiniteError where the loss diverges. SIGINT, SIGTERM, SIGHUP and SIGUSR1 end it after the step
// or the network that runs; what was measured stays.
SearchOutcome run_search(const Config& config, CostMeter& meter, const SearchSettings& settings,
                         const SearchPlace& place);

}  // namespace tbn
