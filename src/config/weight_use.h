// Which keys of `weights:` reach a layer: those of an encoding that no layer has do nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/config.h"

namespace tbn {

// What a key of `weights:` does nothing without, in words ("layers with uniform weights"), where
// that is missing in `weights`; empty for keys that do something, and for those of other sections.
std::string missing_for_weights(std::string_view key, const WeightsConfig& weights);

// Whether `number` is what a key of `weights:` by which an encoding is named has in the encoding
// that was named: p = 1 of binary weights, which could have no other.
bool names_encoding(std::string_view key, std::int64_t number, const WeightsConfig& weights);

// Whether any layer may be tiled, or binary; with scalars of its own if `learned`.
bool has_tiled_layers(const WeightsConfig& weights, bool learned);

}  // namespace tbn
