// Which tensors each op owns, in training and packed, and the check that a file holds just those.
#include <set>

#include "base/text.h"
#include "encodings/encoding.h"
#include "graph/node_rows.h"
#include "graph/op_traits.h"
#include "tbn/error.h"
#include "tbn/model.h"

namespace tbn {
namespace {

// Collects the specs of one node.
class Specs {
 public:
  explicit Specs(const Node& node) : node_(node) {}
  void add(std::string_view suffix, TensorRole role, Shape shape) {
    add_all({{std::string(suffix), role, DType::kF32, std::move(shape)}});
  }
  // Named by their suffixes.
  void add_all(std::vector<TensorSpec> specs) {
    for (TensorSpec& spec : specs) {
      spec.name = node_.name + "." + spec.name;
      specs_.push_back(std::move(spec));
    }
  }
  std::vector<TensorSpec> take() { return std::move(specs_); }

 private:
  const Node& node_;
  std::vector<TensorSpec> specs_;
};

void add_training_weights(Specs& specs, const Graph& graph, const Node& node) {
  const WeightEncoding& encoding = *weights_of(node.op);
  specs.add_all(encoding_of(encoding).training_tensors(encoding, dims_of(graph, node)));
}

void add_packed_weights(Specs& specs, const Graph& graph, const Node& node, bool scale) {
  const WeightEncoding& encoding = *weights_of(node.op);
  const LayerDims dims = dims_of(graph, node);
  specs.add_all(encoding_of(encoding).packed_tensors(encoding, dims, scale));
  if (scale) specs.add("scale", TensorRole::kScale, {dims.outputs});
}

std::int64_t channels_of(const Node& node) { return node.shape[channel_axis(node.shape)]; }

void add_norm(Specs& specs, const Node& node) {
  const Shape channels = {channels_of(node)};
  specs.add("weight", TensorRole::kNormWeight, channels);
  specs.add("bias", TensorRole::kNormBias, channels);
  specs.add("running_mean", TensorRole::kRunningMean, channels);
  specs.add("running_var", TensorRole::kRunningVar, channels);
}

void add_layer_norm(Specs& specs, const Node& node) {
  specs.add("weight", TensorRole::kNormWeight, {node.shape.back()});
  specs.add("bias", TensorRole::kNormBias, {node.shape.back()});
}

void add_relative_bias(Specs& specs, const Attention& op) {
  if (!op.relative_bias) return;
  const std::int64_t offsets = 2 * op.window - 1;
  specs.add("relative_bias", TensorRole::kEmbedding, {offsets * offsets, op.heads});
}

// The specs of any node: `weights` adds those of a layer's weight, `affine` those of an affine op.
// An op with tensors must be named here; of others the table of traits says that they have none.
template <class AddWeights, class AddAffine>
std::vector<TensorSpec> specs_of_node(const Graph& graph, const Node& node, AddWeights weights,
                                      AddAffine affine) {
  Specs specs(node);
  const auto layer = [&](const auto& op) {
    weights(specs, op.scale);
    if (op.bias) specs.add("bias", TensorRole::kBias, {weight_shape(graph, node).outputs});
  };
  std::visit(Overloaded{[&](const Conv2d& op) { layer(op); }, [&](const Linear& op) { layer(op); },
                        [&](const BatchNorm&) { add_norm(specs, node); },
                        [&](const Affine&) { affine(specs); },
                        [&](const LayerNorm&) { add_layer_norm(specs, node); },
                        [&](const Attention& op) { add_relative_bias(specs, op); },
                        [&](const ClassToken&) {
                          specs.add("token", TensorRole::kEmbedding, {node.shape.back()});
                        },
                        [&](const PositionEmbedding& op) {
                          if (op.kind == PositionKind::kLearned) {
                            specs.add("table", TensorRole::kEmbedding, node.shape);
                          }
                        },
                        []<class Other>(const Other&) {
                          static_assert(!kOpRow<Other>.traits.has_tensors,
                                        "its tensors are missing");
                        }},
             node.op);
  return specs.take();
}

}  // namespace

std::vector<TensorSpec> training_tensors(const Graph& graph, const Node& node) {
  return specs_of_node(
      graph, node, [&](Specs& specs, bool) { add_training_weights(specs, graph, node); },
      [&](Specs&) { throw ConfigError(describe(node) + ": only packed networks have this op"); });
}

std::vector<TensorSpec> packed_tensors(const Graph& graph, const Node& node) {
  return specs_of_node(
      graph, node, [&](Specs& specs, bool scale) { add_packed_weights(specs, graph, node, scale); },
      [&](Specs& specs) {
        specs.add("scale", TensorRole::kScale, {channels_of(node)});
        specs.add("bias", TensorRole::kBias, {channels_of(node)});
      });
}

void check_tensors(const Graph& graph, const TensorMap& tensors,
                   std::vector<TensorSpec> (*specs_of)(const Graph&, const Node&),
                   const std::string& where) {
  std::set<std::string> wanted;
  for (const Node& node : graph.nodes) {
    for (const TensorSpec& spec : specs_of(graph, node)) {
      wanted.insert(spec.name);
      const auto found = tensors.find(spec.name);
      if (found == tensors.end()) {
        throw DataError(where + ": tensor " + in_quotes(spec.name) + " is missing");
      }
      const HostTensor& tensor = found->second;
      if (tensor.dtype() == spec.dtype && tensor.shape() == spec.shape) continue;
      throw DataError(where + ": tensor " + in_quotes(spec.name) + " is " +
                      std::string(to_string(tensor.dtype())) + " " + to_string(tensor.shape()) +
                      ", but the graph needs " + std::string(to_string(spec.dtype)) + " " +
                      to_string(spec.shape));
    }
  }
  for (const auto& [name, tensor] : tensors) {
    if (!wanted.contains(name)) {
      throw DataError(where + ": tensor " + in_quotes(name) + " belongs to no node of the graph");
    }
  }
}

}  // namespace tbn
