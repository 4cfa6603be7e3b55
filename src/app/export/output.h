// Checks the path that tbn-export writes to.
#pragma once

#include <filesystem>
#include <string>

#include "app/support/options.h"

namespace tbn::app {

// The packed file that -o names. Throws ConfigError for a folder, for whatever else is no file (a
// device, a pipe, a link that leads nowhere), for "-" and for the names of other formats.
std::filesystem::path packed_output(const CommandLine& line);

// --name, of the files and symbols of C source. Throws ConfigError where it cannot be one.
std::string c_output_name(const CommandLine& line);

// The folder that -o names; it may not exist yet. Throws ConfigError where it is a file, is named
// like one, or holds a <name>.h or .c that tbn-export did not write.
std::filesystem::path c_output_folder(const CommandLine& line, const std::string& name);

// Makes the folder and those above it, where they are missing. Throws SystemError.
void make_folder(const std::filesystem::path& folder);

}  // namespace tbn::app
