// The fluent builder: names nodes, fills in defaults, infers shapes while the network is written
// down.
#include <algorithm>

#include "tbn/error.h"
#include "tbn/graph.h"

namespace tbn {
namespace {

// What a fresh node is called, before its number: "conv1", "norm2", "relu1".
std::string_view stem_of(const Op& op) {
  return std::visit(Overloaded{
                        [](const Conv2d&) -> std::string_view { return "conv"; },
                        [](const BatchNorm&) -> std::string_view { return "norm"; },
                        [](const Activation& a) { return to_string(a.kind); },
                        [](const MaxPool2d&) -> std::string_view { return "pool"; },
                        [](const AvgPool2d&) -> std::string_view { return "pool"; },
                        [](const GlobalAvgPool&) -> std::string_view { return "pool"; },
                        [&](const auto&) { return op_name(op); },
                    },
                    op);
}

}  // namespace

GraphBuilder::Scope::Scope(GraphBuilder& builder, std::string_view name)
    : builder_(builder), outer_length_(builder.prefix_.size()) {
  builder.prefix_ += std::string(name) + ".";
}

GraphBuilder::Scope::~Scope() { builder_.prefix_.resize(outer_length_); }

bool GraphBuilder::has_name(const std::string& name) const {
  return std::any_of(graph_.nodes.begin(), graph_.nodes.end(),
                     [&](const Node& node) { return node.name == name; });
}

std::string GraphBuilder::fresh_name(const Op& op) const {
  if (std::holds_alternative<Input>(op)) return prefix_ + "input";
  for (int number = 1;; ++number) {
    std::string name = prefix_ + std::string(stem_of(op)) + std::to_string(number);
    if (!has_name(name)) return name;
  }
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
  validate(graph);
  return graph;
}

const Shape& Value::shape() const { return builder_->graph_.node(id_).shape; }

Value Value::named(std::string_view name) const {
  const std::string full = builder_->prefix_ + std::string(name);
  Node& node = builder_->graph_.node(id_);
  if (node.name != full && builder_->has_name(full)) {
    throw ConfigError(describe(node) + ": another node is named '" + full + "' already");
  }
  node.name = full;
  return *this;
}

Value Value::normalize(std::vector<float> mean, std::vector<float> std) const {
  return builder_->add(Normalize{std::move(mean), std::move(std)}, {*this});
}
Value Value::conv(std::int64_t out_channels, Conv2d options) const {
  options.out_channels = out_channels;
  return builder_->add(std::move(options), {*this});
}
Value Value::linear(std::int64_t out_features, Linear options) const {
  options.out_features = out_features;
  return builder_->add(std::move(options), {*this});
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
Value operator+(Value a, Value b) { return a.builder_->add(Add{}, {a, b}); }

}  // namespace tbn
