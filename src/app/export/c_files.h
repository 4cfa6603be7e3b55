// tbn-export --format c: the C source of a network, what it costs, and the two files.
#pragma once

#include "app/export/source.h"

namespace tbn::app {

// <folder>/<name>.h and .c
struct CFiles {
  std::filesystem::path folder;
  std::string name;
};
// As -o and --name say; throws ConfigError as output.h does.
CFiles c_files_of(const CommandLine& line);

// Writes both files and prints their costs. Throws ConfigError where an op cannot run on a
// microcontroller or a limit is exceeded, before anything is written.
void export_c(const CommandLine& line, const ExportSource& source, const CFiles& files);

}  // namespace tbn::app
