// Clouds of points as inputs.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "predict/input.h"

namespace tbn {

// A text file: a point per line, with commas or blanks between its numbers; a first line of names
// is passed over. Lines have the network's columns, or, where those are x, y and z, a normal and a
// label behind them, as the published sets have. `name` is the input's. Throws DataError, and
// ConfigError where the network takes no points.
PredictionInput cloud_of_text(std::span<const std::uint8_t> bytes, const std::string& name,
                              const NetworkForm& form);

// Points as they are, [n, the network's columns].
PredictionInput cloud_input(std::span<const float> points, const std::string& name,
                            const NetworkForm& form);

}  // namespace tbn
