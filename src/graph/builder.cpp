// The fluent builder: names nodes, fills in defaults, infers shapes while the network is written
// down.
#include <algorithm>

#include "graph/op_traits.h"
#include "tbn/error.h"
#include "tbn/graph.h"

namespace tbn {
namespace {

// What a fresh node is called, before its number: "conv1", "norm2", "relu1".
std::string_view stem_of(const Op& op) {
  if (const auto* activation = std::get_if<Activation>(&op)) return to_string(activation->kind);
  const OpTraits& traits = traits_of(op);
  return traits.stem.empty() ? traits.name : traits.stem;
}

}  // namespace

GraphBuilder::Scope::Scope(GraphBuilder& builder, std::string_view name)
    : builder_(builder), outer_length_(builder.prefix_.size()) {
  builder.prefix_ += std::string(name) + ".";
}

GraphBuilder::Scope::~Scope() { builder_.prefix_.resize(outer_length_); }

std::string GraphBuilder::fresh_name(const Op& op) {
  if (std::holds_alternative<Input>(op)) return prefix_ + "input";
  const std::string stem = prefix_ + std::string(stem_of(op));
  int& number = next_number_.emplace(stem, 1).first->second;
  while (names_.count(stem + std::to_string(number)) > 0) ++number;
  return stem + std::to_string(number);
}

void GraphBuilder::release(const std::string& name) {
  names_.erase(name);
  const std::size_t digits = name.find_last_not_of("0123456789") + 1;
  const auto next = next_number_.find(name.substr(0, digits));
  constexpr std::size_t kMaxDigits = 6;  // of the numbers that a graph can reach
  const std::size_t count = name.size() - digits;
  if (next == next_number_.end() || count == 0 || count > kMaxDigits) return;
  next->second = std::min(next->second, std::stoi(name.substr(digits)));
}

Value GraphBuilder::input(Shape shape) {
  if (!graph_.nodes.empty()) throw ConfigError("the graph has an input already");
  return add(Input{std::move(shape)}, {});
}

Value GraphBuilder::add(Op op, const std::vector<Value>& inputs) {
  resolve_defaults(op);
  Node node{.name = fresh_name(op), .op = std::move(op), .inputs = {}, .shape = {}};
  std::vector<Shape> shapes;
  for (const Value& input : inputs) {
    TBN_CHECK(input.builder_ == this, "a value of another builder");
    node.inputs.push_back(input.id_);
    shapes.push_back(input.shape());
  }
  node.shape = infer_shape(node.op, node.name, shapes);
  names_.insert(node.name);
  graph_.nodes.push_back(std::move(node));
  return Value(this, static_cast<NodeId>(graph_.nodes.size() - 1));
}

Graph GraphBuilder::finish(Value output) {
  TBN_CHECK(output.builder_ == this, "a value of another builder");
  std::vector<bool> needed(graph_.nodes.size(), false);
  needed[0] = true;
  needed[static_cast<std::size_t>(output.id_)] = true;
  for (std::size_t id = graph_.nodes.size(); id-- > 0;) {
    if (!needed[id]) continue;
    for (NodeId input : graph_.nodes[id].inputs) needed[static_cast<std::size_t>(input)] = true;
  }
  Graph graph{.name = graph_.name, .nodes = {}, .output = -1};
  std::vector<NodeId> moved(graph_.nodes.size(), -1);
  for (std::size_t id = 0; id < graph_.nodes.size(); ++id) {
    if (!needed[id]) continue;
    moved[id] = static_cast<NodeId>(graph.nodes.size());
    graph.nodes.push_back(std::move(graph_.nodes[id]));
    for (NodeId& input : graph.nodes.back().inputs) input = moved[static_cast<std::size_t>(input)];
  }
  graph.output = moved[static_cast<std::size_t>(output.id_)];
  graph_ = {};
  names_.clear();
  next_number_.clear();
  validate(graph);
  return graph;
}

const Shape& Value::shape() const { return builder_->graph_.node(id_).shape; }

Value Value::named(std::string_view name) const {
  const std::string full = builder_->prefix_ + std::string(name);
  Node& node = builder_->graph_.node(id_);
  if (node.name == full) return *this;
  if (!builder_->names_.insert(full).second) {
    throw ConfigError(describe(node) + ": another node is named '" + full + "' already");
  }
  builder_->release(node.name);
  node.name = full;
  return *this;
}

Value Value::normalize(std::vector<float> mean, std::vector<float> std) const {
  return builder_->add(Normalize{std::move(mean), std::move(std)}, {*this});
}
Value Value::conv(std::int64_t out_channels, Conv2d options) const {
  options.out_channels = out_channels;
  return builder_->add(options, {*this});
}
Value Value::linear(std::int64_t out_features, Linear options) const {
  options.out_features = out_features;
  return builder_->add(options, {*this});
}
Value Value::batch_norm(BatchNorm options) const { return builder_->add(options, {*this}); }
Value Value::activation(ActivationKind kind) const {
  return builder_->add(Activation{kind}, {*this});
}
Value Value::max_pool(MaxPool2d options) const { return builder_->add(options, {*this}); }
Value Value::avg_pool(AvgPool2d options) const { return builder_->add(options, {*this}); }
Value Value::global_avg_pool() const { return builder_->add(GlobalAvgPool{}, {*this}); }
Value Value::flatten() const { return builder_->add(Flatten{}, {*this}); }
Value Value::dropout(double rate) const { return builder_->add(Dropout{rate}, {*this}); }
Value Value::pad(Pad2d options) const { return builder_->add(options, {*this}); }
Value Value::layer_norm(LayerNorm options) const { return builder_->add(options, {*this}); }
Value Value::attention(Attention options) const { return builder_->add(options, {*this}); }
Value Value::reshape(Shape shape) const {
  return builder_->add(Reshape{std::move(shape)}, {*this});
}
Value Value::transpose() const { return builder_->add(Transpose{}, {*this}); }
Value Value::slice(std::int64_t axis, std::int64_t begin, std::int64_t length) const {
  return builder_->add(Slice{axis, begin, length}, {*this});
}
Value Value::class_token() const { return builder_->add(ClassToken{}, {*this}); }
Value Value::position_embedding(PositionKind kind) const {
  return builder_->add(PositionEmbedding{kind}, {*this});
}
Value Value::matmul(Value right) const { return builder_->add(MatMul{}, {*this, right}); }
Value Value::add_identity(AddIdentity options) const { return builder_->add(options, {*this}); }
Value Value::sequence_pool(PoolKind kind) const {
  return builder_->add(SequencePool{kind}, {*this});
}
Value Value::expand(std::int64_t count) const { return builder_->add(Expand{count}, {*this}); }
Value Value::moving_average(std::int64_t kernel) const {
  return builder_->add(MovingAverage{kernel}, {*this});
}
Value Value::to_tokens() const {
  const Shape image = shape();
  if (image.size() != 3) {
    throw ConfigError("the pixels of " + to_string(image) +
                      " cannot become tokens: an image is [C, H, W]");
  }
  return reshape({image[0], image[1] * image[2]}).transpose();
}
Value Value::to_image(Size2 size) const {
  return transpose().reshape({shape().back(), size.h, size.w});
}
Value operator+(Value a, Value b) { return a.builder_->add(Add{}, {a, b}); }
Value operator-(Value a, Value b) { return a.builder_->add(Subtract{}, {a, b}); }
Value operator*(Value a, Value b) { return a.builder_->add(Multiply{}, {a, b}); }
Value concat(const std::vector<Value>& values, std::int64_t axis) {
  TBN_CHECK(!values.empty(), "concat of nothing");
  return values.front().builder_->add(Concat{axis}, values);
}
Value attention(Value q, Value k, Value v, Attention options) {
  return q.builder_->add(options, {q, k, v});
}

}  // namespace tbn
