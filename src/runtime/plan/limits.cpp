// Counts what the plain loops of the reference backend do; other backends do less.
#include "runtime/plan/limits.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "encodings/encoding.h"
#include "graph/node_rows.h"
#include "runtime/plan/packed_ops.h"
#include "runtime/plan/plan.h"
#include "tbn/error.h"
#include "tbn/model.h"

namespace tbn {

namespace {

// The most rows of float weights that a kernel holds together, padded with zeros (FloatOps).
constexpr double kPanelRows = 32;

double number(std::int64_t value) { return static_cast<double>(value); }
double count(const Shape& shape) { return number(element_count(shape)); }

class Costs {
 public:
  Costs(const Graph& graph, const Node& node) : graph_(graph), node_(node) {}

  NodeCost operator()(const Conv2d& op) const {
    const Shape& y = node_.shape;
    NodeCost cost = layer(number(y[1]) * number(y[2]));
    const double padded = number(padded_values(op, input()));
    cost.values += padded;
    cost.operations += padded;
    return cost;
  }
  NodeCost operator()(const Linear& op) const {
    return layer(count(node_.shape) / number(op.out_features));
  }
  NodeCost operator()(const MaxPool2d& op) const { return windows(op.kernel); }
  NodeCost operator()(const AvgPool2d& op) const { return windows(op.kernel); }
  NodeCost operator()(const Attention& op) const {
    const AttentionScratch scratch = attention_scratch(op, node_.shape);
    // Each token meets those of its window, in the scores and in the sum of values.
    const double products = 2 * count(node_.shape) * number(scratch.tokens);
    return {products, number(scratch.values())};
  }
  NodeCost operator()(const MatMul&) const { return {count(node_.shape) * number(input()[1]), 0}; }
  NodeCost operator()(const MovingAverage& op) const {
    return {count(node_.shape) * number(std::min(op.kernel, node_.shape[0]) + 2), 0};
  }
  // A table that is made; a learned one is a tensor.
  NodeCost operator()(const PositionEmbedding& op) const {
    return {0, op.kind == PositionKind::kSinusoidal ? count(node_.shape) : 0};
  }
  // Whose work is to read their inputs and to write their output.
  template <class Other>
  NodeCost operator()(const Other&) const {
    return {};
  }

 private:
  const Shape& input() const { return graph_.node(node_.inputs.front()).shape; }

  // `places` where each output is made.
  NodeCost layer(double places) const {
    const WeightEncoding& encoding = *weights_of(node_.op);
    const LayerDims dims = dims_of(graph_, node_);
    const double rows = number(encoding_of(encoding).cost(encoding, dims).sums);
    // Rows lie in whole panels, beside one offset per input, and one gain and one bias per output.
    constexpr double kOffset = sizeof(std::int64_t) / double{sizeof(float)};
    const double held = std::ceil(rows / kPanelRows) * kPanelRows + kOffset;
    return {places * rows * number(dims.inputs),
            held * number(dims.inputs) + 2 * number(dims.outputs)};
  }
  // Only what lies in the image is read.
  NodeCost windows(const Size2& kernel) const {
    const double taps =
        number(std::min(kernel.h, input()[1])) * number(std::min(kernel.w, input()[2]));
    return {count(node_.shape) * taps, 0};
  }

  const Graph& graph_;
  const Node& node_;
};

struct Limit {
  const char* name;
  const char* option;  // of the tools
  std::int64_t most;
  std::string text() const {
    return "more than the " + grouped(static_cast<std::uint64_t>(most)) + " of Limits::" + name;
  }
  std::string way_out() const {
    return "; if you trust the file, raise it (" + std::string(option) + " of the tools)";
  }
};
Limit memory_of(const Limits& limits) {
  return {"memory_bytes", "--max-memory", limits.memory_bytes};
}
Limit operations_of(const Limits& limits) {
  return {"operations", "--max-operations", limits.operations};
}

[[noreturn]] void refuse(const std::string& where, const std::string& takes, double value,
                         const Limit& limit, const Node& node) {
  const double shown = std::min(value, 9e18);  // the counts of a hostile file end nowhere
  throw DataError(where + ": " + takes + " " + grouped(static_cast<std::uint64_t>(shown)) + ", " +
                  limit.text() + ", most of them for " + describe(node) + limit.way_out());
}

}  // namespace

NodeCost cost_of(const Graph& graph, const Node& node) {
  NodeCost cost = std::visit(Costs(graph, node), node.op);
  cost.operations += count(node.shape);
  // Those of layers are counted as kernels lay them out.
  if (weights_of(node.op) == nullptr) {
    for (const TensorSpec& spec : packed_tensors(graph, node)) cost.values += count(spec.shape);
  }
  for (const NodeId input : node.inputs) cost.operations += count(graph.node(input).shape);
  return cost;
}

void check_limits(const Graph& graph, const Limits& limits, const std::string& where) {
  double operations = 0, values = number(plan_memory(graph).arena_values);
  const Node* busiest = &graph.nodes.front();
  const Node* largest = busiest;
  double most_operations = 0, most_values = 0;
  for (const Node& node : graph.nodes) {
    const NodeCost cost = cost_of(graph, node);
    operations += cost.operations;
    values += cost.values;
    const bool given = std::holds_alternative<Input>(node.op);  // lies where the caller has it
    const double own = given ? 0 : cost.values + count(node.shape);
    if (cost.operations > most_operations) {
      most_operations = cost.operations;
      busiest = &node;
    }
    if (own > most_values) {
      most_values = own;
      largest = &node;
    }
  }
  const double bytes = values * sizeof(float);
  if (bytes > number(limits.memory_bytes)) {
    refuse(where, "the bytes of its weights and of an example's activations are", bytes,
           memory_of(limits), *largest);
  }
  if (operations > number(limits.operations)) {
    refuse(where, "the operations for one example are", operations, operations_of(limits),
           *busiest);
  }
}

void check_session_bytes(std::int64_t bytes, const Limits& limits, const std::string& where) {
  if (bytes <= limits.memory_bytes) return;
  const Limit limit = memory_of(limits);
  throw DataError(where + ": a session takes " + grouped(static_cast<std::uint64_t>(bytes)) +
                  " bytes for an example, " + limit.text() + limit.way_out());
}

}  // namespace tbn
