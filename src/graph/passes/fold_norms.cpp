// Pass: batch norms with their running statistics become one multiplier and one bias per channel.
#include <cmath>
#include <initializer_list>

#include "encodings/encoding.h"
#include "graph/node_rows.h"
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"
#include "tbn/error.h"

namespace tbn {

namespace {

// The norm as y[c] = scale[c] * x + bias[c].
struct Multipliers {
  std::vector<double> scale;
  std::vector<double> bias;
};

Multipliers multipliers_of(const Model& model, const Node& node, const BatchNorm& norm) {
  const std::vector<double> gamma = doubles_of(model, node.name + ".weight");
  const std::vector<double> beta = doubles_of(model, node.name + ".bias");
  const std::vector<double> mean = doubles_of(model, node.name + ".running_mean");
  const std::vector<double> var = doubles_of(model, node.name + ".running_var");
  Multipliers result;
  for (std::size_t c = 0; c < gamma.size(); ++c) {
    if (!(var[c] + norm.eps > 0)) {
      throw DataError(describe(node) + ": the running variance of channel " + std::to_string(c) +
                      " is " + std::to_string(var[c]) + ", and none may be below zero");
    }
    result.scale.push_back(gamma[c] / std::sqrt(var[c] + norm.eps));
    result.bias.push_back(beta[c] - result.scale[c] * mean[c]);
  }
  return result;
}

void erase_tensors(Model& model, const Node& node, std::initializer_list<const char*> suffixes) {
  for (const char* suffix : suffixes) model.tensors.erase(node.name + "." + suffix);
}

// The two flags of a layer that can take a norm in; null for other ops, and where the layer has
// taken one already or an activation stands between. The norm must act on the layer's outputs:
// a linear's are the last dimension, which a norm of more than two dimensions leaves alone.
struct LayerFlags {
  bool* scale = nullptr;
  bool* bias = nullptr;
};

LayerFlags open_layer(Node& node) {
  if (auto* conv = std::get_if<Conv2d>(&node.op)) {
    if (!conv->scale && conv->activation == ActivationKind::kNone)
      return {&conv->scale, &conv->bias};
  } else if (auto* linear = std::get_if<Linear>(&node.op)) {
    const bool outputs_are_channels = channel_axis(node.shape) + 1 == node.shape.size();
    if (!linear->scale && linear->activation == ActivationKind::kNone && outputs_are_channels) {
      return {&linear->scale, &linear->bias};
    }
  }
  return {};
}

void fold_into(Model& model, const Node& layer, LayerFlags flags, Multipliers norm) {
  if (*flags.bias) {
    const std::vector<double> bias = doubles_of(model, layer.name + ".bias");
    for (std::size_t c = 0; c < bias.size(); ++c) norm.bias[c] += norm.scale[c] * bias[c];
  }
  const WeightEncoding& encoding = *weights_of(layer.op);
  EditableTensors tensors(model.tensors, layer.name);
  encoding_of(encoding).absorb(encoding, dims_of(model.graph, layer), tensors, norm.scale);
  *flags.scale = true;
  *flags.bias = true;
  const Shape shape = {static_cast<std::int64_t>(norm.scale.size())};
  put_floats(model, layer.name + ".scale", shape, norm.scale);
  put_floats(model, layer.name + ".bias", shape, norm.bias);
}

}  // namespace

void fold_norms(Model& model) {
  Graph& graph = model.graph;
  const std::vector<int> uses = use_counts(graph);
  std::vector<bool> removed(graph.nodes.size(), false);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = graph.nodes[i];
    const auto* norm = std::get_if<BatchNorm>(&node.op);
    if (!norm) continue;
    const Multipliers multipliers = multipliers_of(model, node, *norm);
    erase_tensors(model, node, {"weight", "bias", "running_mean", "running_var"});
    Node& before = graph.node(node.inputs.front());
    const LayerFlags flags = open_layer(before);
    if (flags.scale != nullptr && uses[static_cast<std::size_t>(node.inputs.front())] == 1) {
      fold_into(model, before, flags, multipliers);
      removed[i] = true;
    } else {
      node.op = Affine{};
      const Shape shape = {static_cast<std::int64_t>(multipliers.scale.size())};
      put_floats(model, node.name + ".scale", shape, multipliers.scale);
      put_floats(model, node.name + ".bias", shape, multipliers.bias);
    }
  }
  remove_nodes(graph, removed);
}

}  // namespace tbn
