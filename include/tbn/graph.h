// A network as data: a directed acyclic graph of typed ops with names and static shapes, built by
// fluent C++, executed by one trainer and one runtime. It holds no weights and no buffers.
//
//   GraphBuilder b("tiny");
//   Value x = b.input({1, 28, 28});
//   x = x.conv(64, {.kernel = 3, .weights = binary()}).batch_norm().relu();
//   x = x.global_avg_pool().linear(10).named("classifier");
//   Graph graph = b.finish(x);
//
// Shapes are inferred and checked while it is built: a ConfigError names the node and the values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "tbn/ops.h"

namespace tbn {

using NodeId = std::int32_t;

struct Node {
  std::string name;  // unique, dotted: "layer1.0.conv1"
  Op op;
  std::vector<NodeId> inputs;  // smaller than the node's own id
  Shape shape;                 // of its one output, without the batch
  bool operator==(const Node&) const = default;
};

// Nodes in topological order. The first is the Input; there is one output.
struct Graph {
  std::string name;
  std::vector<Node> nodes;
  NodeId output = -1;

  const Node& node(NodeId id) const { return nodes[static_cast<std::size_t>(id)]; }
  Node& node(NodeId id) { return nodes[static_cast<std::size_t>(id)]; }
  const Shape& input_shape() const { return nodes.front().shape; }
  const Shape& output_shape() const { return node(output).shape; }
  bool operator==(const Graph&) const = default;
};

// The output shape of `op` on inputs of these shapes. Throws ConfigError beginning with
// "<op> '<name>': ". Unset paddings and strides must be resolved already (see resolve_defaults).
Shape infer_shape(const Op& op, const std::string& name, const std::vector<Shape>& inputs);

// Fills in attributes that follow from others: padding -1, stride 0.
void resolve_defaults(Op& op);

// Checks a whole graph that came from outside: order, names, arity, shapes, one input node, sizes
// within the limits (10,000 nodes, 2^31 - 1 values a tensor). Throws ConfigError.
void validate(const Graph& graph);

// How many nodes read each node's output, plus one for the graph's output.
std::vector<int> use_counts(const Graph& graph);

// [n, m] of a layer's weight: n outputs of m = C_in / groups * k_h * k_w (or F) inputs.
struct WeightShape {
  std::int64_t outputs = 0;
  std::int64_t inputs = 0;
};
WeightShape weight_shape(const Graph& graph, const Node& node);

// The layout of a tiled node's weight; throws ConfigError where p does not divide.
TileLayout tile_layout_of(const Graph& graph, const Node& node);

// "conv2d 'layer3.0.conv1'", as errors begin.
std::string describe(const Node& node);

class GraphBuilder;

// A node's output while the graph is being built. Cheap to copy; valid as long as its builder.
class Value {
 public:
  Value normalize(std::vector<float> mean, std::vector<float> std) const;
  Value conv(std::int64_t out_channels, Conv2d options = {}) const;
  Value linear(std::int64_t out_features, Linear options = {}) const;
  Value batch_norm(BatchNorm options = {}) const;
  Value activation(ActivationKind kind) const;
  Value relu() const { return activation(ActivationKind::kRelu); }
  Value gelu() const { return activation(ActivationKind::kGelu); }
  Value max_pool(MaxPool2d options = {}) const;
  Value avg_pool(AvgPool2d options = {}) const;
  Value global_avg_pool() const;
  Value flatten() const;
  Value dropout(double rate) const;
  Value pad(Pad2d options) const;
  Value layer_norm(LayerNorm options = {}) const;
  // Self-attention of [T, 3 F]; attention(q, k, v) below takes the three apart.
  Value attention(Attention options) const;
  Value reshape(Shape shape) const;
  Value transpose() const;
  Value slice(std::int64_t axis, std::int64_t begin, std::int64_t length) const;
  Value class_token() const;
  Value position_embedding(PositionKind kind = PositionKind::kLearned) const;
  Value matmul(Value right) const;
  Value add_identity(AddIdentity options = {}) const;
  Value sequence_pool(PoolKind kind) const;
  Value expand(std::int64_t count) const;
  Value moving_average(std::int64_t kernel) const;
  // The pixels of [C, H, W] as a sequence [H W, C], and back.
  Value to_tokens() const;
  Value to_image(Size2 size) const;
  friend Value operator+(Value a, Value b);
  friend Value operator-(Value a, Value b);
  friend Value operator*(Value a, Value b);
  friend Value concat(const std::vector<Value>& values, std::int64_t axis);
  friend Value attention(Value q, Value k, Value v, Attention options);

  // Renames the node just made, within the current scope.
  Value named(std::string_view name) const;

  const Shape& shape() const;
  std::int64_t channels() const { return shape().front(); }

 private:
  friend class GraphBuilder;
  Value(GraphBuilder* builder, NodeId id) : builder_(builder), id_(id) {}
  GraphBuilder* builder_;
  NodeId id_;
};

Value concat(const std::vector<Value>& values, std::int64_t axis);
Value attention(Value q, Value k, Value v, Attention options);

class GraphBuilder {
 public:
  explicit GraphBuilder(std::string name) { graph_.name = std::move(name); }
  GraphBuilder(const GraphBuilder&) = delete;
  GraphBuilder& operator=(const GraphBuilder&) = delete;

  Value input(Shape shape);
  Value add(Op op, const std::vector<Value>& inputs);

  // While it lives, names begin with "<name>.".
  class Scope {
   public:
    Scope(GraphBuilder& builder, std::string_view name);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    GraphBuilder& builder_;
    std::size_t outer_length_;
  };
  [[nodiscard]] Scope scope(std::string_view name) { return Scope(*this, name); }

  // The builder is empty afterwards. Nodes that the output does not need are dropped.
  Graph finish(Value output);

 private:
  friend class Value;
  std::string fresh_name(const Op& op);   // "conv1", "conv2", ... within the scope
  void release(const std::string& name);  // the name is free again, and its number

  Graph graph_;
  std::string prefix_;
  std::unordered_set<std::string> names_;
  // "layer1.0.conv": below this number every name is taken.
  std::unordered_map<std::string, int> next_number_;
};

// The parts of a graph's text: one line a node, for people and for golden tests.
std::string to_text(const Graph& graph);

// The canonical JSON of a graph, and back. The same graph gives the same bytes. Reading checks
// everything (unknown ops and attributes, types, shapes) and throws DataError beginning with
// `where`.
std::string to_json(const Graph& graph);
Graph graph_from_json(std::string_view text, const std::string& where);

}  // namespace tbn
