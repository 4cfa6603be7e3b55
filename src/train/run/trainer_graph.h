// From a configuration to the network that is trained. No LibTorch.
#pragma once

#include "config/config.h"
#include "data/source/dataset.h"
#include "data/source/image_set.h"
#include "tbn/graph.h"

namespace tbn {

// The network of `model:` on such samples, its layers encoded as `weights:` says. With
// `statistics` of the training images the network begins by normalising raw pixels. Throws
// ConfigError.
Graph training_graph(const Config& config, const SampleSpec& samples,
                     const ChannelStatistics* statistics = nullptr);

}  // namespace tbn
