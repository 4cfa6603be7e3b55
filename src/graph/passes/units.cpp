// The two nodes are found again by their places and by holding the same numbers.
#include "graph/passes/units.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/counted.h"
#include "base/text.h"
#include "graph/passes/rewrite.h"
#include "tbn/error.h"

namespace tbn {
namespace {

constexpr const char* kInputNode = "input_units";
constexpr const char* kOutputNode = "output_units";

// "101.3", to six digits.
std::string number(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::general, 6);
  return {text, end.ptr};
}

// "column 3 has mean 1.2 and deviation 0.5"
std::string column_text(const Units& units, std::size_t c) {
  return "column " + std::to_string(c + 1) + " has mean " + number(units.mean[c]) +
         " and deviation " + number(units.deviation[c]);
}

std::vector<float> singles(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

// Not-a-number and what no normal float holds must not get into a file.
bool is_scale(double value) {
  const auto single = static_cast<float>(value);
  return std::isnormal(single) && single > 0;
}

void check_columns(const Graph& graph, const Units& units, const std::string& where) {
  const Shape& in = graph.input_shape();
  const Shape& out = graph.output_shape();
  const auto columns = std::ssize(units.mean);
  const bool fits = in.size() == 2 && out.size() == 2 && in[1] == columns && out[1] == columns &&
                    std::ssize(units.deviation) == columns;
  if (fits) return;
  throw ConfigError(where + ": a network from " + to_string(in) + " to " + to_string(out) +
                    " has no units of " + counted(columns, "column"));
}

void check_values(const Units& units, const std::string& where) {
  for (std::size_t c = 0; c < units.mean.size(); ++c) {
    const double mean = units.mean[c];
    const double deviation = units.deviation[c];
    if (!std::isfinite(static_cast<float>(mean)) || !is_scale(deviation)) {
      throw ConfigError(where + ": " + column_text(units, c) +
                        ", which single precision does not hold; export with --units standardised");
    }
    if (std::abs(mean) / deviation > kMostOffset) {
      throw ConfigError(where + ": " + column_text(units, c) +
                        ": single precision would round its values by " +
                        number(std::abs(mean) / deviation / (1 << 24)) +
                        " deviations; subtract a constant from the column before training, or "
                        "export with --units standardised");
    }
  }
}

void check_new_name(const Graph& graph, std::string_view name, const std::string& where) {
  for (const Node& node : graph.nodes) {
    if (node.name != name) continue;
    throw ConfigError(where + ": a node of the network is named " + in_quotes(name) +
                      " already; rename it, or export with --units standardised");
  }
}

// Behind node 0, for all that read it.
void insert_normalize(Graph& graph, const Units& units) {
  for (Node& node : graph.nodes) {
    for (NodeId& input : node.inputs) ++input;
  }
  ++graph.output;
  Node normalize;
  normalize.name = kInputNode;
  normalize.op = Normalize{.mean = singles(units.mean), .std = singles(units.deviation)};
  normalize.inputs = {0};
  normalize.shape = graph.nodes.front().shape;
  graph.nodes.insert(graph.nodes.begin() + 1, std::move(normalize));
}

void append_affine(Model& model, const Units& units) {
  Graph& graph = model.graph;
  Node affine;
  affine.name = kOutputNode;
  affine.op = Affine{};
  affine.inputs = {graph.output};
  affine.shape = graph.output_shape();
  graph.nodes.push_back(std::move(affine));
  graph.output = static_cast<NodeId>(graph.nodes.size()) - 1;
  const Shape shape = {std::ssize(units.mean)};
  put_floats(model, std::string(kOutputNode) + ".scale", shape, units.deviation);
  put_floats(model, std::string(kOutputNode) + ".bias", shape, units.mean);
}

bool holds(const TensorMap& tensors, const std::string& name, const std::vector<float>& values) {
  const auto found = tensors.find(name);
  if (found == tensors.end() || found->second.dtype() != DType::kF32) return false;
  return std::ranges::equal(found->second.values<float>(), values);
}

}  // namespace

double Units::offset() const {
  double most = 0;
  for (std::size_t c = 0; c < mean.size(); ++c) {
    most = std::max(most, std::abs(mean[c]) / deviation[c]);
  }
  return most;
}

void add_units(Model& packed, const Units& units, const std::string& where) {
  check_columns(packed.graph, units, where);
  check_values(units, where);
  check_new_name(packed.graph, kInputNode, where);
  check_new_name(packed.graph, kOutputNode, where);
  insert_normalize(packed.graph, units);
  append_affine(packed, units);
  validate(packed.graph);
  check_tensors(packed.graph, packed.tensors, packed_tensors, where);
}

std::optional<Units> units_of(const Graph& graph, const TensorMap& tensors) {
  if (graph.nodes.size() < 3) return std::nullopt;
  const Node& first = graph.nodes[1];
  const Node& last = graph.node(graph.output);
  const auto* normalize = std::get_if<Normalize>(&first.op);
  const auto* affine = std::get_if<Affine>(&last.op);
  if (normalize == nullptr || affine == nullptr) return std::nullopt;
  if (affine->activation != ActivationKind::kNone) return std::nullopt;
  const std::vector<int> uses = use_counts(graph);
  const bool at_the_ends = first.inputs == std::vector<NodeId>{0} && uses[0] == 1 &&
                           graph.output + 1 == static_cast<NodeId>(graph.nodes.size());
  if (!at_the_ends || first.shape.size() != 2 || last.shape.size() != 2) return std::nullopt;
  if (!holds(tensors, last.name + ".scale", normalize->std)) return std::nullopt;
  if (!holds(tensors, last.name + ".bias", normalize->mean)) return std::nullopt;
  return Units{.mean = {normalize->mean.begin(), normalize->mean.end()},
               .deviation = {normalize->std.begin(), normalize->std.end()}};
}

std::optional<Units> units_of(const Model& packed) {
  return units_of(packed.graph, packed.tensors);
}

void to_original(std::span<float> values, const Units& units) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t c = i % units.mean.size();
    values[i] = static_cast<float>(units.mean[c] + units.deviation[c] * values[i]);
  }
}

void to_standardised(std::span<float> values, const Units& units) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t c = i % units.mean.size();
    values[i] = static_cast<float>((values[i] - units.mean[c]) / units.deviation[c]);
  }
}

void remove_units(Model& packed) {
  TBN_CHECK(units_of(packed).has_value(), "the network has units to remove");
  Graph& graph = packed.graph;
  std::vector<bool> removed(graph.nodes.size(), false);
  removed[1] = true;
  removed[static_cast<std::size_t>(graph.output)] = true;
  const std::string output = graph.node(graph.output).name;
  packed.tensors.erase(output + ".scale");
  packed.tensors.erase(output + ".bias");
  remove_nodes(graph, removed);
}

}  // namespace tbn
