// Between a configuration and the networks of a search: the settings of each layer, and the
// configuration that a pick makes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/source/dataset.h"
#include "search/space.h"

namespace tbn::app {

// The settings of a layer, whichever part of `weights:` says them.
WeightFields fields_of_layer(const WeightsConfig& weights, const std::string& name,
                             std::int64_t size);

// The space of the networks of a configuration, whose `graph` this is; orders of tiles that are
// left open follow the outputs of a forecast.
SearchSpace space_of(const Config& config, const Graph& graph, const SampleSpec& samples,
                     const ChoiceLimits& limits, const std::vector<std::string>& fixed);

// `config` with a rule for each weight layer of the network, those of the space as picked. Layers
// of the same settings share a rule.
Config config_of_pick(const Config& config, const SearchSpace& space, const Pick& pick);

// The text of a configuration file at `path`: `comment`, a line each, then `base:` with `file`, and
// what `found` says otherwise than `base`, the configuration that the file alone makes.
std::string config_text(const std::vector<std::string>& comment, const std::filesystem::path& file,
                        const std::filesystem::path& path, const Config& base, const Config& found);

// Writes such a text, and reads it back before it takes the place of what is at `path`, to see that
// it makes `found`.
void write_config(const std::filesystem::path& path, const std::string& text, const Config& found);

}  // namespace tbn::app
