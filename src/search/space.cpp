// Asks each layer's encoding for its choices and puts them in order.
#include "search/space.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "graph/node_rows.h"
#include "tbn/error.h"
#include "tbn/policy.h"

namespace tbn {
namespace {

// Dearest first, each storing fewer bits than the one before.
std::vector<WeightEncoding> in_order(std::vector<WeightEncoding> choices, const LayerDims& dims) {
  const auto bits = [&](const WeightEncoding& choice) {
    return encoding_of(choice).cost(choice, dims).bits;
  };
  std::ranges::stable_sort(choices, std::ranges::greater(), bits);
  // Not std::ranges::unique(), whose subrange clang 14 does not compile with GCC 12's library.
  const auto costs_the_same = [&](const auto& a, const auto& b) { return bits(a) == bits(b); };
  choices.erase(std::unique(choices.begin(), choices.end(), costs_the_same), choices.end());
  return choices;
}

bool is_fixed(const std::string& name, const std::vector<std::string>& fixed,
              std::vector<bool>& used) {
  bool found = false;
  for (std::size_t i = 0; i < fixed.size(); ++i) {
    if (!glob_match(fixed[i], name)) continue;
    used[i] = true;
    found = true;
  }
  return found;
}

}  // namespace

Pick SearchSpace::level(int choice) const {
  Pick pick;
  for (const SearchLayer& layer : layers) {
    pick.push_back(std::min(choice, static_cast<int>(layer.choices.size()) - 1));
  }
  return pick;
}

Pick SearchSpace::cheapest() const { return level(levels() - 1); }

int SearchSpace::levels() const {
  std::size_t most = 1;
  for (const SearchLayer& layer : layers) most = std::max(most, layer.choices.size());
  return static_cast<int>(most);
}

SearchSpace search_space(const Graph& graph, const ChoiceLimits& limits,
                         const std::vector<std::string>& fixed, const SettleChoice& settle) {
  SearchSpace space{.graph = graph, .layers = {}};
  std::vector<bool> used(fixed.size());
  for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes.size()); ++id) {
    Node& node = space.graph.node(id);
    WeightEncoding* encoding = weights_of(node.op);
    if (encoding == nullptr || is_fixed(node.name, fixed, used)) continue;
    const LayerDims dims = dims_of(graph, node);
    std::vector<WeightEncoding> choices = encoding_of(*encoding).choices(*encoding, dims, limits);
    if (settle) {
      for (WeightEncoding& choice : choices) settle(node, dims, choice);
    }
    choices = in_order(std::move(choices), dims);
    if (choices.size() < 2) continue;
    *encoding = choices.front();
    space.layers.push_back({node.name, id, std::move(choices)});
  }
  for (std::size_t i = 0; i < fixed.size(); ++i) {
    if (!used[i]) throw ConfigError("--fix: " + in_quotes(fixed[i]) + " matches no layer");
  }
  if (space.layers.empty()) {
    throw ConfigError("network '" + graph.name +
                      "' has no layer with two choices: tiled layers choose among p, uniform ones "
                      "among bits, and float ones stay as they are");
  }
  return space;
}

Graph with_choices(const SearchSpace& space, const Pick& pick) {
  TBN_CHECK(pick.size() == space.layers.size(), "a pick of another space");
  Graph graph = space.graph;
  for (std::size_t i = 0; i < pick.size(); ++i) {
    const SearchLayer& layer = space.layers[i];
    *weights_of(graph.node(layer.node).op) = layer.choices.at(static_cast<std::size_t>(pick[i]));
  }
  return graph;
}

std::int64_t main_setting(const WeightEncoding& encoding) {
  for (const Field& field : encoding_of(encoding).fields()) {
    if (field.is_main) return std::get<std::int64_t>(field.get(encoding));
  }
  TBN_CHECK(false, "an encoding without a setting that it is named by");
}

std::string pick_text(const SearchSpace& space, const Pick& pick) {
  std::string text;
  for (std::size_t i = 0; i < pick.size(); ++i) {
    const WeightEncoding& choice = space.layers[i].choices[static_cast<std::size_t>(pick[i])];
    text += (i == 0 ? "" : "/") + std::to_string(main_setting(choice));
  }
  return text;
}

Pick pick_of(const SearchSpace& space, const std::string& text, const std::string& where) {
  const auto fail = [&] {
    throw DataError(where + ": " + in_quotes(text) + " names no network of this search");
  };
  Pick pick;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (const SearchLayer& layer : space.layers) {
    if (!pick.empty()) {
      if (at == end || *at != '/') fail();
      ++at;
    }
    std::int64_t value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc()) fail();
    at = next;
    const auto found = std::ranges::find(layer.choices, value, main_setting);
    if (found == layer.choices.end()) fail();
    pick.push_back(static_cast<int>(found - layer.choices.begin()));
  }
  if (at != end) fail();
  return pick;
}

}  // namespace tbn
