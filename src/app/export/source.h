// What is exported: a run's trained network, packed, or a packed file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "app/support/options.h"
#include "config/config.h"
#include "tbn/file.h"
#include "tbn/model.h"

namespace tbn::app {

struct ExportSource {
  std::filesystem::path path;  // of the checkpoint or the packed file
  Model packed;
  PackedFile file;          // the packed file, without prepared weights, or what one would hold
  std::string config_yaml;  // of a run
  bool averaged = false;    // of a run: see TrainedModel
};

// `path` is a run directory, a checkpoint or a .tbn file; --verify says how many test vectors a run
// gets, and is refused for a file, which keeps its own. Throws DataError for anything else.
ExportSource read_source(const CommandLine& line, const std::filesystem::path& path);

// The data that the source was trained on, as the command line changes it.
DataConfig data_of(const CommandLine& line, const ExportSource& source);

}  // namespace tbn::app
