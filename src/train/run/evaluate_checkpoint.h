// Runs a saved training state on data, for tbn-eval. No LibTorch type in this header.
#pragma once

#include <cstdint>
#include <string>

#include "data/source/dataset.h"
#include "eval/metrics.h"
#include "train/state/checkpoint.h"

namespace tbn {

struct CheckpointEvalOptions {
  std::string device = "auto";
  bool bf16 = false;  // autocast
  std::int64_t batch_size = 500;
  std::int64_t threads = 0;  // 0: all cores
  int loader_threads = 1;
};

// Uses the averages where the checkpoint has them. Throws ConfigError where the data does not fit
// the network.
MetricSums evaluate_checkpoint(const Checkpoint& checkpoint, const Dataset& data,
                               const CheckpointEvalOptions& options);

}  // namespace tbn
