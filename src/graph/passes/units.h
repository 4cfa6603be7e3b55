// The units of a series in its network. A forecaster learns standardised values; with a normalize
// behind its input and an affine at its output the same network takes and gives original ones, in
// every runtime, with no word about it outside of the graph.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tbn/model.h"

namespace tbn {

// The statistics of each column: original = mean + deviation * standardised.
struct Units {
  std::vector<double> mean;
  std::vector<double> deviation;

  // The most |mean| / deviation of a column. Inputs in single precision come to so many times 6e-8
  // deviations from what they were.
  double offset() const;
  bool operator==(const Units&) const = default;
};

// Above kNotedOffset (2^14, 0.001 deviations) forecasts are worth a word; above kMostOffset (2^20,
// 0.06) add_units() refuses.
inline constexpr double kNotedOffset = 16384;
inline constexpr double kMostOffset = 1048576;

// Gives a packed forecaster (steps of `units` columns in and out) the units of its data: the node
// `input_units` normalises what the input gives to all its readers, `output_units` undoes it for
// the output. Throws ConfigError, beginning with `where`, where the network is no such forecaster
// or has units already, where a mean or deviation is none in single precision, and beyond
// kMostOffset.
void add_units(Model& packed, const Units& units, const std::string& where);

// The units of a packed network: of a normalize that alone reads the input and an affine that makes
// the output, of steps both, with the same numbers. Nothing where there are no such two.
std::optional<Units> units_of(const Model& packed);
std::optional<Units> units_of(const Graph& graph, const TensorMap& tensors);

// Rows of columns one after another, as a network's inputs and outputs: x becomes mean + deviation
// x, or (x - mean) / deviation.
void to_original(std::span<float> values, const Units& units);
void to_standardised(std::span<float> values, const Units& units);

// Takes them out again: the network of standardised values. Must have units.
void remove_units(Model& packed);

}  // namespace tbn
