// What is exported: a run's trained network, packed, or a packed file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "app/support/network_data.h"
#include "app/support/options.h"
#include "tbn/file.h"
#include "tbn/model.h"
#include "tbn/rule.h"

namespace tbn::app {

struct ExportSource {
  std::filesystem::path path;  // of the checkpoint or the packed file
  Model packed;
  PackedFile file;          // the packed file, without prepared weights, or what one would hold
  std::string config_yaml;  // of a run
  Rule rule;                // whole, whatever --rule leaves of it in `file`
  bool averaged = false;    // of a run: see TrainedModel
  bool is_packed = false;   // no run
};

// `path` is a run directory, a checkpoint or a .tbn file; --verify says how many test vectors a run
// gets, and is refused for a file, which keeps its own. Throws DataError for anything else.
ExportSource read_source(const CommandLine& line, const std::filesystem::path& path);

// What is known of the data that the source was trained on.
NetworkOrigin origin_of(const ExportSource& source);

}  // namespace tbn::app
