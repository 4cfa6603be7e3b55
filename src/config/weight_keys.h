// The keys of `weights:` that encodings have, and what settings of them mean.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/value_limits.h"

namespace tbn {

class Encoding;

// A key of the encodings that have it, in the order of configs/reference.yaml.
struct WeightKey {
  const char* key;
  const char* help;
  ValueLimits limits;
  const Encoding* room;
};
const std::vector<WeightKey>& weight_keys();

// "float", "binary", "tiled", ...: what `encoding` may say.
std::vector<std::string> weight_words();

// What they mean for a layer; an order that was left open is the default.
WeightEncoding weight_encoding(const WeightFields& fields);
// Whether a setting of its encoding was left open, to what is known of a layer's outputs.
bool is_open(const WeightFields& fields);

// Gives an encoding with two words the one that it has, binary where p = 1, and the setting that
// goes with it.
void settle(WeightFields& fields);

}  // namespace tbn
