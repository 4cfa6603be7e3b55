// The limits on memory and operations of packed files, from the command line.
#pragma once

#include "app/support/options.h"
#include "tbn/runtime.h"

namespace tbn {

// --max-memory and --max-operations
void add_limit_options(CommandLine& line);

// The defaults of Limits, as the command line changes them.
Limits limits_of(const CommandLine& line);

}  // namespace tbn
