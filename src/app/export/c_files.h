// tbn-export --format c: the C source of a network, what it costs, and the two files.
#pragma once

#include "app/export/source.h"

namespace tbn::app {

// Writes <output>/<name>.h and .c and prints their costs. Throws ConfigError where an op cannot run
// on a microcontroller or a limit is exceeded, before anything is written.
void export_c(const CommandLine& line, const ExportSource& source);

}  // namespace tbn::app
