// The element type of a packed file's scalars, biases and layer norms.
#pragma once

#include <string>

#include "app/support/options.h"
#include "tbn/file.h"
#include "tbn/model.h"

namespace tbn::app {

// --scalars
void add_scalars_option(CommandLine& line);

// For --format c, which takes a run's numbers as its packed file would have them, or as they were
// trained (f32). Throws ConfigError for f16, and of a packed file, whose numbers are what they are.
void check_c_scalars(const CommandLine& line, bool is_packed);

// What --scalars asks for, else what the run's configuration says (none: single precision). Throws
// ConfigError for a word that there is not, and for export.scalars= among the settings.
DType scalars_of(const CommandLine& line, const std::string& config_yaml, const std::string& where);
// The same of a packed file, as a summary says it: half precision where any of it is.
DType scalars_of(const CommandLine& line, const PackedFile& file);

// Gives the network scalars of this type, rounded to the nearest half where that is kF16. Throws
// ConfigError beginning with `where` for a value beyond half precision.
void set_scalars(Model& packed, DType scalars, const std::string& where);

// Without --scalars: gives the floats of a network that was read from a file of these tensors the
// type that each had there. Those that the file does not have stay as they are.
void keep_scalars(Model& packed, const TensorMap& file);

}  // namespace tbn::app
