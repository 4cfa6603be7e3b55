// What a search chooses from: the layers of a network that may be stored in several ways, and the
// networks that their choices make.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "encodings/encoding.h"
#include "tbn/graph.h"

namespace tbn {

// A layer with two choices or more, the dearest first.
struct SearchLayer {
  std::string name;  // of its node
  NodeId node = -1;
  std::vector<WeightEncoding> choices;
};

// A network of the space: for each layer the number of its choice.
using Pick = std::vector<int>;

struct SearchSpace {
  Graph graph;  // with the first choice of each layer
  std::vector<SearchLayer> layers;

  // All layers at their choice of that number, or at their last.
  Pick level(int choice) const;
  Pick dearest() const { return level(0); }
  Pick cheapest() const;
  int levels() const;  // the most choices that a layer has
};

// Changes a choice as the layer's settings have it, where these leave something open.
using SettleChoice = std::function<void(const Node&, const LayerDims&, WeightEncoding&)>;

// Every layer whose encoding offers choices, but for those that a glob of `fixed` names, the
// dearest first; of tiled layers that is the least p. Choices that store no fewer bits than one
// before are left out. Throws ConfigError for a glob that matches no layer, and where no layer has
// two choices.
SearchSpace search_space(const Graph& graph, const ChoiceLimits& limits,
                         const std::vector<std::string>& fixed = {},
                         const SettleChoice& settle = {});

// The network of a pick.
Graph with_choices(const SearchSpace& space, const Pick& pick);

// The value of the setting that an encoding is named by: 4 of tiled(p=4).
std::int64_t main_setting(const WeightEncoding& encoding);

// "8/2/2/4": the main settings of a pick, layer by layer; and back. Throws DataError, beginning
// with `where`, for a text that names no pick.
std::string pick_text(const SearchSpace& space, const Pick& pick);
Pick pick_of(const SearchSpace& space, const std::string& text, const std::string& where);

}  // namespace tbn
