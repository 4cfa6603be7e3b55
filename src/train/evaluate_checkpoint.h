// Runs a saved training state on images, for tbn-eval. No LibTorch type in this header.
#pragma once

#include <cstdint>
#include <string>

#include "data/image_set.h"
#include "train/checkpoint.h"
#include "train/evaluate_metrics.h"

namespace tbn {

struct CheckpointEvalOptions {
  std::string device = "auto";
  std::string precision = "fp32";
  std::int64_t batch_size = 500;
  std::int64_t threads = 0;  // 0: all cores
};

// Uses the averages where the checkpoint has them. Throws ConfigError where the images do not fit
// the network.
MetricSums evaluate_checkpoint(const Checkpoint& checkpoint, const ImageSet& images,
                               const CheckpointEvalOptions& options);

// Throws ConfigError, beginning with `where`, where a network of these shapes cannot run or judge
// the images.
void check_images_fit(const Graph& graph, const ImageSet& images, const std::string& where);

}  // namespace tbn
