// Fills a Config from a YAML tree by the tables of schema.h, reporting every problem.
#pragma once

#include "config/config.h"
#include "config/yaml_tree.h"

namespace tbn {

void read_config(const YamlNode& root, Config& config, Problems& problems);

// What single keys cannot say: settings that contradict each other. `root` gives the places.
void check_config(const Config& config, const YamlNode& root, Problems& problems);

}  // namespace tbn
