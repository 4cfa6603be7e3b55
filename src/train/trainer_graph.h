// From a configuration to the network that is trained, and to the options of the data. No LibTorch.
#pragma once

#include "config/config.h"
#include "data/dataset.h"
#include "data/images/image_set.h"
#include "data/options.h"
#include "tbn/graph.h"

namespace tbn {

DataOptions data_options(const DataConfig& data);

// The network of `model:` on such samples, its layers encoded as `weights:` says. With
// `statistics` of the training images the network begins by normalising raw pixels. Throws
// ConfigError.
Graph training_graph(const Config& config, const SampleSpec& samples,
                     const ChannelStatistics* statistics = nullptr);

}  // namespace tbn
