// The 1-bit twin of a configuration: a narrower network without reuse of its bits.
#pragma once

#include "config/config.h"
#include "data/source/dataset.h"
#include "data/source/image_set.h"
#include "search/cost.h"

namespace tbn::app {

struct Twin {
  Config config;
  Costs costs;
};

// The widest network of the family of `config` that keeps the budget with one bit per weight where
// layers are tiled: its `channels` or `hidden`, or else its `width`, made smaller or larger by one
// factor. Layers of other encodings stay as they are. Where a budget is so large that wider
// networks cannot be made, packed in memory, or run as it asks, it is the widest that can. Throws
// ConfigError for families that have none of these options and where not even the narrowest network
// keeps the budget.
Twin twin_of(const Config& config, const SampleSpec& samples, const ChannelStatistics* statistics,
             const FileFrame& frame, const Budget& budget);

}  // namespace tbn::app
