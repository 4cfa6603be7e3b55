// What can be asked of a whole graph: validity and use counts.
#include "tbn/graph.h"

#include <set>

#include "base/shape.h"
#include "base/text.h"
#include "encodings/encoding.h"
#include "graph/node_rows.h"
#include "tbn/error.h"

namespace tbn {
namespace {

constexpr std::size_t kMaxNodes = 10'000;

void check_name(const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  };
  bool good = !name.empty() && name.size() <= 200 && name.front() != '.' && name.back() != '.' &&
              name.find("..") == std::string::npos;
  for (char c : name) good = good && allowed(c);
  if (!good) {
    throw ConfigError("a node's name must be 1 to 200 letters, digits, '_', '-' and single dots");
  }
  // Its tensors would be taken for the test vectors of a packed file, "verify.input".
  if (name == "verify" || name.starts_with("verify.")) {
    throw ConfigError(
        "a node cannot be named '" + name +
        "': packed files keep their test vectors under 'verify'; choose another name");
  }
}

void check_inputs(const Graph& graph, std::size_t id) {
  const Node& node = graph.nodes[id];
  if ((id == 0) != std::holds_alternative<Input>(node.op)) {
    throw ConfigError(describe(node) + ": the first node, and no other, must be the input");
  }
  for (NodeId input : node.inputs) {
    if (input < 0 || static_cast<std::size_t>(input) >= id) {
      throw ConfigError(describe(node) + ": input " + std::to_string(input) +
                        " is not an earlier node");
    }
  }
}

void check_weight(const Graph& graph, const Node& node) {
  const WeightEncoding* encoding = weights_of(node.op);
  if (encoding == nullptr) return;
  const WeightShape shape = weight_shape(graph, node);
  const auto count = checked_element_count({shape.outputs, shape.inputs});
  if (!count || *count > INT32_MAX) {
    throw ConfigError(describe(node) + ": its weight has " + std::to_string(shape.outputs) + " x " +
                      std::to_string(shape.inputs) + " values, more than the " +
                      grouped(INT32_MAX) + " that a layer may have");
  }
  encoding_of(*encoding).check(*encoding, dims_of(graph, node));
}

}  // namespace

std::string describe(const Node& node) {
  return std::string(op_name(node.op)) + " '" + node.name + "'";
}

void validate(const Graph& graph) {
  if (graph.nodes.empty()) throw ConfigError("the graph has no nodes");
  if (graph.nodes.size() > kMaxNodes) {
    throw ConfigError("the graph has " + std::to_string(graph.nodes.size()) + " nodes; at most " +
                      std::to_string(kMaxNodes) + " are allowed");
  }
  if (graph.output < 0 || static_cast<std::size_t>(graph.output) >= graph.nodes.size()) {
    throw ConfigError("the graph's output " + std::to_string(graph.output) + " is no node");
  }
  std::set<std::string_view> names;
  for (std::size_t id = 0; id < graph.nodes.size(); ++id) {
    const Node& node = graph.nodes[id];
    check_name(node.name);
    if (!names.insert(node.name).second) {
      throw ConfigError(describe(node) + ": another node has this name");
    }
    check_inputs(graph, id);
    std::vector<Shape> inputs;
    inputs.reserve(node.inputs.size());
    for (NodeId input : node.inputs) inputs.push_back(graph.node(input).shape);
    const Shape shape = infer_shape(node.op, node.name, inputs);
    if (shape != node.shape) {
      throw ConfigError(describe(node) + ": its shape is " + to_string(shape) + ", not " +
                        to_string(node.shape));
    }
    check_weight(graph, node);
  }
}

std::vector<int> use_counts(const Graph& graph) {
  std::vector<int> counts(graph.nodes.size(), 0);
  for (const Node& node : graph.nodes) {
    for (NodeId input : node.inputs) ++counts[static_cast<std::size_t>(input)];
  }
  if (graph.output >= 0) ++counts[static_cast<std::size_t>(graph.output)];
  return counts;
}

}  // namespace tbn
