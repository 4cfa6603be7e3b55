/// @file
/// Which layers of a network are tiled, and how: rules on the names of nodes and a minimum size
/// (the paper's lambda), never a position in a list.
///
///     WeightPolicy policy{.standard = TiledWeights{.p = 4}, .min_size = 64000};
///     policy.rules.push_back({.match = {"conv1", "classifier"}, .encoding = FloatWeights{}});
///     apply_policy(graph, policy);
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tbn/graph.h"

namespace tbn {

/// The encoding of the layers whose names match.
struct WeightRule {
  /// Globs on node names, with '*' and '?': "layer1.*.conv1", "*.shortcut.*".
  std::vector<std::string> match;
  WeightEncoding encoding;      ///< what these layers get
  bool order_by_steps = false;  ///< whether StepsAhead may choose the order of its tiles
};

/// The encodings of all layers of a network.
struct WeightPolicy {
  WeightEncoding standard = FloatWeights{};  ///< for layers that no rule names
  std::int64_t min_size = 0;  ///< layers with fewer weights than this and no rule take `small`
  WeightEncoding small = TiledWeights{.p = 1};  ///< of layers below min_size
  std::vector<WeightRule> rules = {};  ///< the first rule that matches wins, min_size or not
  bool order_by_steps = false;         ///< of `standard` and `small`, as in a rule
  StepsAhead steps = {};               ///< what the outputs of a forecast are
};

/// Sets the encoding of every conv2d and linear node of `graph`. Throws ConfigError for a pattern
/// that matches no layer (probably mistyped; the message lists the layers) and where a layer cannot
/// have its encoding, as where p divides neither n nor n * m.
void apply_policy(Graph& graph, const WeightPolicy& policy);

/// Whether `name` matches `glob`: '*' stands for any run of characters, dots included, '?' for one
/// character.
bool glob_match(std::string_view glob, std::string_view name);

}  // namespace tbn
