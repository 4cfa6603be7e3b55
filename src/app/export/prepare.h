// The options of tbn-export that store weights as kernels read them.
#pragma once

#include <string>
#include <vector>

#include "app/support/options.h"
#include "tbn/runtime.h"

namespace tbn::app {

// --prepare and --prepare-for
void add_prepare_options(CommandLine& line);

// What these options ask for: which backends, with which instruction set.
struct Preparation {
  std::vector<Backend> backends;  // none without --prepare
  std::string instructions;
};
// Throws ConfigError for names that there are not.
Preparation preparation_of(const CommandLine& line);

}  // namespace tbn::app
