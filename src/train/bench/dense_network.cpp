// Folding is the export pass with its multipliers moved into the weights; the kernels are oneDNN's.
#include "train/bench/dense_network.h"

#include <algorithm>
#include <string>

#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"
#include "tbn/error.h"
#include "train/bench/dense_layers.h"
#include "train/executor/tensor_io.h"

namespace tbn {
namespace {

using torch::Tensor;

// weight[c] *= scale[c], and the layer has no scale any more.
void move_scale_into_weight(Model& model, const Node& node) {
  const std::vector<double> scale = doubles_of(model, node.name + ".scale");
  std::vector<double> weight = doubles_of(model, node.name + ".weight");
  const std::size_t inputs = weight.size() / scale.size();
  for (std::size_t i = 0; i < weight.size(); ++i) weight[i] *= scale[i / inputs];
  const Shape shape = model.tensors.at(node.name + ".weight").shape();
  put_floats(model, node.name + ".weight", shape, weight);
  model.tensors.erase(node.name + ".scale");
}

// y = scale x + bias as a batch norm with statistics 0 and 1.
void affine_to_norm(Model& model, Node& node) {
  node.op = BatchNorm{.eps = 0};
  const std::vector<double> scale = doubles_of(model, node.name + ".scale");
  const std::vector<double> zeros(scale.size(), 0.0), ones(scale.size(), 1.0);
  const Shape shape = {static_cast<std::int64_t>(scale.size())};
  put_floats(model, node.name + ".weight", shape, scale);
  put_floats(model, node.name + ".running_mean", shape, zeros);
  put_floats(model, node.name + ".running_var", shape, ones);
  model.tensors.erase(node.name + ".scale");
}

}  // namespace

Model fold_dense(Model trained) {
  drop_training_ops(trained);
  fold_norms(trained);
  for (Node& node : trained.graph.nodes) {
    bool* scale = nullptr;
    if (auto* conv = std::get_if<Conv2d>(&node.op)) scale = &conv->scale;
    if (auto* linear = std::get_if<Linear>(&node.op)) scale = &linear->scale;
    if (scale != nullptr && *scale) {
      move_scale_into_weight(trained, node);
      *scale = false;
    }
    if (std::holds_alternative<Affine>(node.op)) affine_to_norm(trained, node);
  }
  return trained;
}

PrepackedModule::PrepackedModule(const Model& folded, std::int64_t batch)
    : GraphModule(folded.graph), batch_(batch), uses_(use_counts(folded.graph)) {
  load_state(*this, folded.tensors, folded.graph.name);
  eval();
  for (NodeId id = 0; id < static_cast<NodeId>(graph().nodes.size()); ++id) {
    const Op& op = graph().node(id).op;
    if (std::holds_alternative<Conv2d>(op)) prepack_conv(id);
    if (std::holds_alternative<Linear>(op)) prepack_linear(id);
  }
}

Tensor PrepackedModule::run(const PlanStep& step, std::vector<Tensor>& values) {
  const auto found = kernels_.find(step.node);
  return found == kernels_.end() ? GraphModule::run(step, values) : found->second(values);
}

NodeId PrepackedModule::free_user(NodeId id) const {
  if (uses_[static_cast<std::size_t>(id)] != 1 || id == graph().output) return -1;
  for (NodeId user = id + 1; user < static_cast<NodeId>(graph().nodes.size()); ++user) {
    const auto& inputs = graph().node(user).inputs;
    if (std::find(inputs.begin(), inputs.end(), id) != inputs.end()) {
      return kernels_.contains(user) ? -1 : user;
    }
  }
  return -1;
}

ActivationKind PrepackedModule::take_activation(NodeId id) {
  const NodeId user = free_user(id);
  const auto* activation = user < 0 ? nullptr : std::get_if<Activation>(&graph().node(user).op);
  if (activation == nullptr) return ActivationKind::kNone;
  kernels_[user] = [id](const auto& values) { return values[static_cast<std::size_t>(id)]; };
  return activation->kind;
}

std::vector<std::int64_t> PrepackedModule::sizes_of(NodeId id) const {
  std::vector<std::int64_t> sizes = {batch_};
  const Shape& shape = graph().node(id).shape;
  sizes.insert(sizes.end(), shape.begin(), shape.end());
  return sizes;
}

void PrepackedModule::prepack_conv(NodeId id) {
  const auto& op = std::get<Conv2d>(graph().node(id).op);
  const NodeId input = graph().node(id).inputs[0];
  const DenseWeights weights = {tensor_of(id, TensorRole::kWeight),
                                tensor_of(id, TensorRole::kBias)};
  const NodeId user = free_user(id);
  const bool sums = user >= 0 && std::holds_alternative<Add>(graph().node(user).op);
  const NodeId last = sums ? user : id;
  const std::vector<DenseForm> forms =
      onednn_conv(weights, op, sizes_of(input), take_activation(last));
  TBN_CHECK(!forms.empty(), "this LibTorch has no oneDNN");
  if (!sums) {
    kernels_[id] = [run = forms[0].run, input](const auto& values) {
      return run(in_channels_last(values[static_cast<std::size_t>(input)]), {});
    };
    return;
  }
  // The sum runs the convolution; until then the input stands for its value.
  const auto& added = graph().node(user).inputs;
  const NodeId other = added[0] == id ? added[1] : added[0];
  kernels_[id] = [input](const auto& values) { return values[static_cast<std::size_t>(input)]; };
  kernels_[user] = [run = forms[0].run, id, other](const auto& values) {
    return run(in_channels_last(values[static_cast<std::size_t>(id)]),
               in_channels_last(values[static_cast<std::size_t>(other)]));
  };
}

void PrepackedModule::prepack_linear(NodeId id) {
  const NodeId input = graph().node(id).inputs[0];
  const DenseWeights weights = {tensor_of(id, TensorRole::kWeight),
                                tensor_of(id, TensorRole::kBias)};
  const Tensor x = torch::randn(sizes_of(input));
  const std::int64_t rows = x.numel() / x.size(-1);
  const std::vector<DenseForm> forms = linear_forms(weights, rows);
  const std::size_t best = quickest(forms, x);
  DenseFunction run = forms[best].run;
  // Those of oneDNN come first, and only they take an activation in.
  if (best < onednn_linear(weights, rows).size()) {
    run = onednn_linear(weights, rows, take_activation(id))[best].run;
  }
  kernels_[id] = [run, input](const auto& values) {
    return run(values[static_cast<std::size_t>(input)], {});
  };
}

}  // namespace tbn
