// Chooses what is common to the nodes of an op by what makes the text shortest.
#include "graph/short_json.h"

#include <algorithm>
#include <map>

#include "file/json.h"
#include "graph/json_attributes.h"
#include "graph/op_traits.h"

namespace tbn {
namespace {

std::int64_t length_of(std::string_view name, const Json& value) {
  return std::ssize(Json::object({{std::string(name), value}}).canonical()) - 1;
}

// What a value of an attribute saves, in characters, where it is what nodes do not say.
struct Candidate {
  Json value;
  std::int64_t saved = 0;
};

// The value of an attribute that is best left unsaid; of equally good ones the default, else that
// of the earliest node.
Candidate best_value(std::string_view name, const Json& usual, const std::vector<Json>& nodes) {
  std::map<std::string, std::int64_t> counts;
  for (const Json& attributes : nodes) ++counts[attributes.at(name).canonical()];
  const std::int64_t of_usual = counts[usual.canonical()] * length_of(name, usual);
  Candidate best{.value = usual};
  for (const Json& attributes : nodes) {
    const Json& value = attributes.at(name);
    if (value == usual) continue;
    const std::int64_t saved = (counts[value.canonical()] - 1) * length_of(name, value) - of_usual;
    if (saved > best.saved) best = {value, saved};
  }
  return best;
}

// The attributes that the nodes of an op share, as an entry of `common`; null where it would make
// the text no shorter.
Json common_of(std::string_view op, const std::vector<Json>& nodes) {
  const Json usual = single_attributes(*standard_op(op));
  Json entry = Json::object({{"op", op}});
  std::int64_t saved = -std::ssize(entry.canonical()) - 1;
  for (const auto& [name, value] : usual.as_object()) {
    const Candidate best = best_value(name, value, nodes);
    if (best.saved == 0) continue;
    entry[name] = best.value;
    saved += best.saved;
  }
  return saved > 0 ? entry : Json();
}

}  // namespace

std::string to_short_json(const Graph& graph) {
  std::map<std::string, std::vector<Json>, std::less<>> by_op;
  for (const Node& node : graph.nodes) {
    by_op[std::string(op_name(node.op))].push_back(single_attributes(node.op));
  }
  std::map<std::string, Op, std::less<>> standards;
  Json common = Json::array();
  for (const auto& [name, nodes] : by_op) {
    Op& standard = standards.emplace(name, *standard_op(name)).first->second;
    Json entry = common_of(name, nodes);
    if (entry.is_null()) continue;
    decode_attributes(entry, standard);
    common.push_back(std::move(entry));
  }
  Json nodes = Json::array();
  for (NodeId id = 0; id < std::ssize(graph.nodes); ++id) {
    const Node& node = graph.node(id);
    Json json = Json::object({{"name", node.name}, {"op", op_name(node.op)}});
    if (id > 0 && node.inputs != std::vector<NodeId>{id - 1}) {
      json["inputs"] = std::vector<std::int64_t>(node.inputs.begin(), node.inputs.end());
    }
    encode_attributes(node.op, standards.at(std::string(op_name(node.op))), json);
    nodes.push_back(std::move(json));
  }
  Json root = Json::object({{std::string(kCommonMember), std::move(common)}, {"name", graph.name}});
  root["nodes"] = std::move(nodes);
  if (graph.output + 1 != std::ssize(graph.nodes)) {
    root["output"] = static_cast<std::int64_t>(graph.output);
  }
  return root.canonical();
}

}  // namespace tbn
