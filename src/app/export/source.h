// What is exported: a run's trained network, packed, or a packed file.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "app/support/options.h"
#include "config/config.h"
#include "tbn/model.h"

namespace tbn::app {

struct ExportSource {
  std::filesystem::path path;  // of the checkpoint or the packed file
  Model packed;
  std::map<std::string, std::string> metadata;  // of the packed file, or what one will hold
  std::string config_yaml;                      // of a run
  bool averaged = false;                        // of a run: see TrainedModel
  bool is_packed = false;                       // it was a packed file
};

// `path` is a run directory, a checkpoint or a .tbn file. Throws DataError for anything else.
ExportSource read_source(const std::filesystem::path& path);

// The data that the source was trained on, as the command line changes it.
DataConfig data_of(const CommandLine& line, const ExportSource& source);

}  // namespace tbn::app
