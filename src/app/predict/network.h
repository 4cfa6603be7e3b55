// The network of tbn-predict: of a run, a checkpoint or a packed file, ready to run.
#pragma once

#include <filesystem>
#include <memory>

#include "app/support/options.h"
#include "app/support/packed_session.h"
#include "predict/input.h"

namespace tbn::app {

struct PredictingNetwork {
  std::filesystem::path path;  // of the checkpoint or the packed file
  NetworkForm form;
  PackedSession run;
};

// A run or a checkpoint is packed in memory, as tbn-export packs it, and runs without LibTorch.
// Throws DataError for what is no network, ConfigError for options that do not fit it.
PredictingNetwork open_network(const CommandLine& line, const std::filesystem::path& path);

}  // namespace tbn::app
