// The option of tbn-export that says in how many bytes a packed file says what it says.
#pragma once

#include "app/export/source.h"
#include "app/support/options.h"

namespace tbn::app {

// --layout
void add_layout_option(CommandLine& line);
// Throws ConfigError for a layout that there is not.
void check_layout(const CommandLine& line);

// Gives the source's file the layout that --layout asks for: compact where it does not say, and of
// a packed file the one that it has.
void set_layout(const CommandLine& line, ExportSource& source);

}  // namespace tbn::app
