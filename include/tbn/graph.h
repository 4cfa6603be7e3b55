/// @file
/// A network as data: a directed acyclic graph of typed ops with names and static shapes, built by
/// fluent C++, executed by one trainer and one runtime. It holds no weights and no buffers.
///
///     GraphBuilder b("tiny");
///     Value x = b.input({1, 28, 28});
///     x = x.conv(64, {.kernel = 3, .weights = binary()}).batch_norm().relu();
///     x = x.global_avg_pool().linear(10).named("classifier");
///     Graph graph = b.finish(x);
///
/// Shapes are inferred and checked while it is built: a ConfigError names the node and the values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "tbn/ops.h"

namespace tbn {

/// The place of a node in Graph::nodes.
using NodeId = std::int32_t;

/// One op of a network with its inputs.
struct Node {
  std::string name;            ///< unique and dotted: "layer1.0.conv1"
  Op op;                       ///< what it computes, with its attributes
  std::vector<NodeId> inputs;  ///< nodes whose outputs it reads; each id is below the node's own
  Shape shape;                 ///< of its one output, without the batch
  bool operator==(const Node&) const = default;
};

/// A network: nodes in topological order. The first is the Input; there is one output.
struct Graph {
  std::string name;         ///< of the network: "resnet18"
  std::vector<Node> nodes;  ///< each after the nodes that it reads
  NodeId output = -1;       ///< the node whose value the network returns

  /// The node at place `id`.
  const Node& node(NodeId id) const { return nodes[static_cast<std::size_t>(id)]; }
  /// The same, to be changed.
  Node& node(NodeId id) { return nodes[static_cast<std::size_t>(id)]; }
  /// The shape of one example, without the batch.
  const Shape& input_shape() const { return nodes.front().shape; }
  /// The shape of the result for one example, without the batch.
  const Shape& output_shape() const { return node(output).shape; }
  bool operator==(const Graph&) const = default;
};

/// The output shape of `op` on inputs of these shapes, all without the batch. Throws ConfigError
/// beginning with "<op> '<name>': " where they do not fit or the output has more than 2^31 - 1
/// values. Unset paddings and strides must be resolved already (see resolve_defaults()).
Shape infer_shape(const Op& op, const std::string& name, const std::vector<Shape>& inputs);

/// Fills in attributes that follow from others: padding -1, stride 0.
void resolve_defaults(Op& op);

/// Checks a whole graph that came from outside: order, names, number of inputs, shapes, one input
/// node, sizes within the limits (10,000 nodes, 2^31 - 1 values per tensor). Throws ConfigError.
void validate(const Graph& graph);

/// Per node: how many nodes read its output, plus one for the graph's output.
std::vector<int> use_counts(const Graph& graph);

/// [n, m] of a layer's weight: n outputs of m = C_in / groups * k_h * k_w (or F) inputs.
struct WeightShape {
  std::int64_t outputs = 0;  ///< n
  std::int64_t inputs = 0;   ///< m
};
/// The shape of the weight of a conv2d or linear node. Throws InternalError for any other node.
WeightShape weight_shape(const Graph& graph, const Node& node);

/// "conv2d 'layer3.0.conv1'", as errors begin.
std::string describe(const Node& node);

class GraphBuilder;

/// The output of a node while its graph is being built. Cheap to copy; valid as long as its
/// builder.
///
/// Each method adds one node (to_tokens() and to_image() add two) that reads this value, and
/// returns the new node's output. Shapes are without the batch: an image is [C, H, W], a vector
/// [F], a sequence of tokens, points or time steps [T, F]. The options are the attributes of ops.h;
/// their sizes (`out_channels`, `out_features`) are set from the first argument. Every method
/// throws ConfigError, beginning with the op and the node's name, where the shape or an option does
/// not fit, and InternalError where values of different builders meet.
class Value {
 public:
  /// (x - mean[c]) / std[c] per channel; the shape stays. `mean` and `std` have one number per
  /// channel, in the units of the input (pixels: 0..255); those of `std` must be above 0.
  Value normalize(std::vector<float> mean, std::vector<float> std) const;
  /// 2-D cross-correlation with zero padding, [C, H, W] -> [out_channels, H', W'] with
  /// H' = floor((H + 2 padding - kernel) / stride) + 1. The default padding is (kernel - 1) / 2.
  /// `groups` must divide C and `out_channels`, and the padded image must hold the kernel.
  Value conv(std::int64_t out_channels, Conv2d options = {}) const;
  /// W x + b over the last dimension, [..., F] -> [..., out_features].
  Value linear(std::int64_t out_features, Linear options = {}) const;
  /// Batch normalisation per channel of [C, H, W], [F] or [T, F]; the shape stays. `eps` must be
  /// above 0 and `momentum` from 0 to 1.
  Value batch_norm(BatchNorm options = {}) const;
  /// The function `kind` of each value; the shape stays.
  Value activation(ActivationKind kind) const;
  /// max(x, 0).
  Value relu() const { return activation(ActivationKind::kRelu); }
  /// x Phi(x), with the normal distribution function itself and not its approximation by tanh.
  Value gelu() const { return activation(ActivationKind::kGelu); }
  /// The largest value of each window, [C, H, W] -> [C, H', W'] with H' as for conv(). The default
  /// stride is the kernel's size; the padding, at most half the kernel, is never the maximum.
  Value max_pool(MaxPool2d options = {}) const;
  /// The mean of each whole window, [C, H, W] -> [C, H', W']. The default stride is the kernel's
  /// size; there is no padding.
  Value avg_pool(AvgPool2d options = {}) const;
  /// The mean of each map, [C, H, W] -> [C].
  Value global_avg_pool() const;
  /// The same values, row-major, in one dimension.
  Value flatten() const;
  /// Zeroes each value with probability `rate` (from 0 to below 1) in training and divides the
  /// others by 1 - rate; the identity otherwise. The shape stays.
  Value dropout(double rate) const;
  /// Zeros around an image, [C, H, W] -> [C, top + H + bottom, left + W + right]; no side may be
  /// negative.
  Value pad(Pad2d options) const;
  /// (x - mean) / sqrt(var + eps) * weight + bias over the last dimension; the shape stays.
  Value layer_norm(LayerNorm options = {}) const;
  /// Multi-head self-attention of queries, keys and values that lie side by side, [T, 3 F] -> [T,
  /// F]; the function attention() takes the three apart. `heads` must divide F; with a window,
  /// `grid` must hold T pixels and whole windows.
  Value attention(Attention options) const;
  /// The same values, row-major, as `shape`, which has 1 to 4 dimensions and as many values.
  Value reshape(Shape shape) const;
  /// Swaps the last two dimensions of a value that has two or more.
  Value transpose() const;
  /// Entries begin .. begin + length - 1 along `axis`; the other dimensions stay. `length` is at
  /// least 1.
  Value slice(std::int64_t axis, std::int64_t begin, std::int64_t length) const;
  /// Puts one learned token in front of a sequence, [T, F] -> [T + 1, F].
  Value class_token() const;
  /// Adds to each token of [T, F] the row of its position, learned or sinusoidal; the shape stays.
  Value position_embedding(PositionKind kind = PositionKind::kLearned) const;
  /// The matrix product of this value and `right`, [M, K] x [K, N] -> [M, N].
  Value matmul(Value right) const;
  /// x + I for a square [K, K]; the shape stays.
  Value add_identity(AddIdentity options = {}) const;
  /// The largest or the mean value of each feature over all tokens, [T, F] -> [F].
  Value sequence_pool(PoolKind kind) const;
  /// The same vector for each of `count` tokens, [F] -> [count, F].
  Value expand(std::int64_t count) const;
  /// The mean of `kernel` (odd) neighbouring rows of [T, C]; beyond the ends the first and the last
  /// row are repeated. The shape stays.
  Value moving_average(std::int64_t kernel) const;
  /// The pixels of an image as a sequence, [C, H, W] -> [H W, C], row by row.
  Value to_tokens() const;
  /// The inverse of to_tokens(): [H W, C] -> [C, H, W] with `size` = {H, W}.
  Value to_image(Size2 size) const;

  /// Renames the node to `name` within the builder's current scope and returns this value. Throws
  /// ConfigError where another node has that name.
  Value named(std::string_view name) const;

  /// The shape of the value, without the batch. Valid until the next node is added.
  const Shape& shape() const;
  /// The first dimension: the channels of an image.
  std::int64_t channels() const { return shape().front(); }

 private:
  friend class GraphBuilder;
  friend Value operator+(Value a, Value b);
  friend Value operator-(Value a, Value b);
  friend Value operator*(Value a, Value b);
  friend Value concat(const std::vector<Value>& values, std::int64_t axis);
  friend Value attention(Value q, Value k, Value v, Attention options);
  Value(GraphBuilder* builder, NodeId id) : builder_(builder), id_(id) {}
  GraphBuilder* builder_;
  NodeId id_;
};

/// The sum, value by value. Throws ConfigError unless both have the same shape.
Value operator+(Value a, Value b);
/// The difference, value by value. Throws ConfigError unless both have the same shape.
Value operator-(Value a, Value b);
/// The product, value by value. Throws ConfigError unless both have the same shape.
Value operator*(Value a, Value b);
/// Two or more values one after another along `axis`. Throws ConfigError where another dimension
/// differs.
Value concat(const std::vector<Value>& values, std::int64_t axis);
/// Multi-head attention softmax(Q K^T / sqrt(d) + b) V of three values [T, F] -> [T, F] with
/// d = F / heads. Throws ConfigError as Value::attention() does.
Value attention(Value q, Value k, Value v, Attention options);

/// Builds a graph node by node. Nodes are named as they are made, "conv1", "conv2", "norm1", within
/// the current scope; Value::named() gives a name of one's own. It can be neither copied nor moved,
/// since values point to it.
class GraphBuilder {
 public:
  /// Begins a graph of that name.
  explicit GraphBuilder(std::string name) { graph_.name = std::move(name); }
  GraphBuilder(const GraphBuilder&) = delete;
  GraphBuilder& operator=(const GraphBuilder&) = delete;

  /// The input of the network: `shape` without the batch, 1 to 4 dimensions. It must come first;
  /// throws ConfigError for a second one.
  Value input(Shape shape);
  /// Adds any op, with unset paddings and strides resolved: what the methods of Value do. Throws
  /// ConfigError where it does not fit its inputs.
  Value add(Op op, const std::vector<Value>& inputs);

  /// While it lives, names begin with "<name>.". Scopes nest.
  class Scope {
   public:
    /// Enters the scope.
    Scope(GraphBuilder& builder, std::string_view name);
    /// Leaves it.
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    GraphBuilder& builder_;
    std::size_t outer_length_;
  };
  /// Enters a scope, which ends with the object returned.
  [[nodiscard]] Scope scope(std::string_view name) { return Scope(*this, name); }

  /// The finished graph, checked by validate(). Nodes that `output` does not need are dropped; the
  /// input stays. The builder is empty afterwards. Throws ConfigError where a limit is exceeded.
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

/// The graph as text, one line per node, for people and for golden tests.
std::string to_text(const Graph& graph);

/// The canonical JSON of a graph: equal graphs give equal bytes.
std::string to_json(const Graph& graph);
/// Reads what to_json() writes. Checks everything (unknown ops and attributes, types, shapes,
/// limits) and throws DataError beginning with `where`.
Graph graph_from_json(std::string_view text, const std::string& where);

}  // namespace tbn
