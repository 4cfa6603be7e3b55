// Layers of a custom network (tbn/layers.h) from YAML and back.
#pragma once

#include <string>

#include "config/yaml_tree.h"
#include "tbn/layers.h"

namespace tbn {

// Reads the list at `path`, reporting every problem; layers that could not be read are left out.
LayerList read_layers(const YamlNode& node, const std::string& path, Problems& problems);

// One or more lines per layer, each ending in a line break and beginning with `indent` spaces; for
// an empty list nothing. Attributes with their defaults are left out.
std::string layers_text(const LayerList& layers, int indent);

}  // namespace tbn
