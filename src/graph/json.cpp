// The JSON of a graph, as packed files and checkpoints hold it, and its strict reader.
//
//   {"name": "mlp", "nodes": [{"name": "input", "op": "input", "shape": [784]},
//    {"inputs": [0], "name": "fc1", "op": "linear", "out_features": 128, ...}], "output": 3}
//
// Attributes with their default value are left out; shapes are inferred again when it is read. The
// short form is in short_json.h.
#include <map>
#include <optional>

#include "base/text.h"
#include "file/json.h"
#include "graph/json_attributes.h"
#include "graph/op_traits.h"
#include "graph/short_json.h"
#include "tbn/error.h"
#include "tbn/graph.h"

namespace tbn {
namespace {

// An op that the text names, with its default attributes.
Op known_op(const std::string& name) {
  std::optional<Op> op = standard_op(name);
  if (!op) {
    throw DataError("its op is unknown to this version of tbn; it may come from a newer one");
  }
  return *std::move(op);
}

// What a text in short form says once of the nodes of an op.
using CommonOps = std::map<std::string, Op, std::less<>>;

// A list would be copied into each node: a short text could ask for any memory.
CommonOps decode_common(const Json& list) {
  CommonOps common;
  for (const Json& entry : list.as_array()) {
    const std::string& name = entry.at("op").as_string();
    Op op = known_op(name);
    if (entry.contains("name") || entry.contains("inputs")) {
      throw DataError("'common' says the name or the inputs of " + in_quotes(name));
    }
    decode_attributes(entry, op);
    if (has_list(op)) {
      throw DataError("'common' holds a list for " + in_quotes(name) +
                      ", which nodes do not share");
    }
    if (!common.emplace(name, std::move(op)).second) {
      throw DataError("'common' names " + in_quotes(name) + " twice");
    }
  }
  return common;
}

void add_input(Node& node, std::vector<Shape>& shapes, NodeId input, const Graph& graph) {
  node.inputs.push_back(input);
  shapes.push_back(graph.node(input).shape);
}

// `common` is null where the text is in full.
Node decode_node(const Json& json, const Graph& graph, const CommonOps* common) {
  Node node;
  node.name = json.at("name").as_string();
  const std::string& name = json.at("op").as_string();
  node.op = known_op(name);
  if (common != nullptr) {
    if (const auto found = common->find(name); found != common->end()) node.op = found->second;
  }
  decode_attributes(json, node.op);
  std::vector<Shape> shapes;
  const auto earlier = static_cast<std::int64_t>(graph.nodes.size());
  if (const Json* inputs = json.find("inputs")) {
    for (const Json& input : inputs->as_array()) {
      add_input(node, shapes, static_cast<NodeId>(input.as_int(0, earlier - 1)), graph);
    }
  } else if (common != nullptr && earlier > 0) {
    add_input(node, shapes, static_cast<NodeId>(earlier - 1), graph);
  }
  node.shape = infer_shape(node.op, node.name, shapes);
  return node;
}

Json encode_node(const Node& node) {
  Json json = Json::object();
  json["name"] = node.name;
  json["op"] = op_name(node.op);
  if (!node.inputs.empty()) {
    json["inputs"] = std::vector<std::int64_t>(node.inputs.begin(), node.inputs.end());
  }
  encode_attributes(node.op, *standard_op(op_name(node.op)), json);
  return json;
}

NodeId decode_output(const Json& root, const Graph& graph, bool is_short) {
  const auto last = static_cast<std::int64_t>(graph.nodes.size()) - 1;
  const Json* output = root.find("output");
  if (is_short && output == nullptr) return static_cast<NodeId>(last);
  return static_cast<NodeId>(root.at("output").as_int(0, last));
}

void check_members(const Json& root) {
  std::size_t known = 0;
  for (const char* key : {"name", "nodes", "output"}) known += root.contains(key) ? 1 : 0;
  if (root.contains(kCommonMember)) ++known;
  if (known != root.size()) throw DataError("it has a member that is not name, nodes or output");
}

}  // namespace

std::string to_json(const Graph& graph) {
  Json nodes = Json::array();
  for (const Node& node : graph.nodes) nodes.push_back(encode_node(node));
  Json root = Json::object();
  root["name"] = graph.name;
  root["nodes"] = std::move(nodes);
  root["output"] = static_cast<std::int64_t>(graph.output);
  return root.canonical();
}

Graph graph_from_json(std::string_view text, const std::string& where) {
  Graph graph;
  std::string place = "the graph";
  try {
    const Json root = parse_json(text, "graph");
    graph.name = root.at("name").as_string();
    std::optional<CommonOps> common;
    if (const Json* said = root.find(kCommonMember)) common = decode_common(*said);
    const Json::Array& nodes = root.at("nodes").as_array();
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      place = "node " + std::to_string(i) + " of the graph";
      graph.nodes.push_back(decode_node(nodes[i], graph, common ? &*common : nullptr));
    }
    place = "the graph";
    graph.output = decode_output(root, graph, common.has_value());
    check_members(root);
    validate(graph);
  } catch (const Error& error) {
    throw DataError(where + ": " + place + ": " + error.what());
  }
  return graph;
}

}  // namespace tbn
