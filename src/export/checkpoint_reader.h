// Takes the trained network out of a run: the training graph and the tensors that evaluation
// uses. Needs no LibTorch. The checkpoint's contents are described in train/state/checkpoint.h.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "tbn/model.h"
#include "tbn/rule.h"

namespace tbn {

struct TrainedModel {
  Model model;                 // tensors as training_tensors says
  std::filesystem::path path;  // of the checkpoint itself
  bool averaged = false;       // whether the tensors are the averages (EMA) of the trained ones
  std::string config_yaml;     // as the run resolved it; may be empty
  Rule rule;                   // of its data; empty parts where an older tbn wrote it
  // How good it is: accuracy and miou in per cent, or mse.
  std::string measure = "accuracy";
  std::optional<double> test;
  std::optional<double> val;
};

// `path` is a run directory (its best checkpoint, else its last) or a checkpoint. Throws
// DataError for a directory without one, a packed file, another safetensors file, a newer
// version, a damaged file.
TrainedModel read_trained(const std::filesystem::path& path);

}  // namespace tbn
