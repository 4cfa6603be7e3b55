// Views of shared parameters, and their gradients.
#include "train/search/shared_weights.h"

#include <torch/torch.h>

#include "tbn/error.h"
#include "train/optim/optimizer_groups.h"
#include "train/state/copies.h"
#include "train/state/init.h"

namespace tbn {
namespace {

// [R, ...] as [slices, R / slices, ...], or side by side as [R / slices, slices, ...].
std::vector<std::int64_t> sliced_sizes(const at::Tensor& rows, std::int64_t slices,
                                       bool side_by_side) {
  const std::int64_t count = rows.size(0) / slices;
  std::vector<std::int64_t> sizes = {slices, count};
  if (side_by_side) sizes = {count, slices};
  sizes.insert(sizes.end(), rows.sizes().begin() + 1, rows.sizes().end());
  return sizes;
}

bool is_interleaved(const WeightEncoding& encoding) {
  const auto* tiled = std::get_if<TiledWeights>(&encoding);
  return tiled != nullptr && tiled->order == TileOrder::kInterleave;
}

}  // namespace

at::Tensor sum_of_slices(const at::Tensor& rows, std::int64_t slices, bool side_by_side) {
  return rows.reshape(sliced_sizes(rows, slices, side_by_side)).sum(side_by_side ? 1 : 0);
}

at::Tensor shared_gradient(const at::Tensor& gradient, std::int64_t slices, bool side_by_side) {
  const at::Tensor share = gradient / static_cast<double>(slices);
  if (side_by_side) return share.repeat_interleave(slices, 0);
  std::vector<std::int64_t> times(static_cast<std::size_t>(gradient.dim()), 1);
  times.front() = slices;
  return share.repeat(times);
}

SharedWeights::SharedWeights(const SearchSpace& space, const GraphModule& dearest,
                             const Config& config)
    : space_(space) {
  for (std::size_t i = 0; i < space.layers.size(); ++i) {
    layer_of_node_.emplace(space.layers[i].node, i);
  }
  add_missing(dearest, space.dearest());
  for (int level = 1; level < space.levels(); ++level) {
    const Pick pick = space.level(level);
    GraphModule network(with_choices(space, pick));
    initialize(network, config.init, static_cast<std::uint64_t>(config.train.seed));
    network.to(dearest.device());
    add_missing(network, pick);
  }
}

const WeightEncoding& SharedWeights::choice(std::size_t layer, const Pick& pick) const {
  return space_.layers[layer].choices.at(static_cast<std::size_t>(pick.at(layer)));
}

std::string SharedWeights::choice_of(const Graph& graph, NodeId node, const NamedTensor& named,
                                     const Pick& pick) const {
  auto layer = layer_of_node_.find(node);
  if (layer != layer_of_node_.end() && named.role != TensorRole::kAlpha) return "";
  if (layer == layer_of_node_.end()) {
    if (!std::holds_alternative<BatchNorm>(graph.node(node).op)) return "";
    layer = layer_of_node_.find(source_of(graph, node));
    if (layer == layer_of_node_.end()) return "";
  }
  return "@" + std::to_string(main_setting(choice(layer->second, pick)));
}

SharedWeights::View SharedWeights::view_of(const Graph& graph, NodeId node,
                                           const NamedTensor& named, const Pick& pick) const {
  View view{.key = named.name + choice_of(graph, node, named, pick)};
  const auto found = by_key_.find(view.key);
  if (named.role != TensorRole::kLatent || found == by_key_.end()) return view;
  // Full latents are of one shape whatever p is, and are summed up within their layer.
  view.slices = parameters_[found->second].value.size(0) / named.tensor.size(0);
  TBN_CHECK(view.slices >= 1, "a choice with more rows than the first one");
  view.side_by_side = is_interleaved(*weights_of(graph.node(node).op));
  return view;
}

void SharedWeights::add_missing(const GraphModule& network, const Pick& pick) {
  const Graph& graph = network.graph();
  for (NodeId node = 0; node < static_cast<NodeId>(graph.nodes.size()); ++node) {
    for (const NamedTensor& named : network.tensors_of(node)) {
      if (is_buffer(named.role)) continue;
      const View view = view_of(graph, node, named, pick);
      if (!by_key_.emplace(view.key, parameters_.size()).second) continue;
      parameters_.push_back(
          {view.key, named.name, named.role,
           named.tensor.detach().clone(at::MemoryFormat::Contiguous).requires_grad_()});
    }
  }
}

std::vector<ParameterGroup> SharedWeights::groups(const OptimConfig& optim) const {
  std::vector<ParameterInfo> infos;
  infos.reserve(parameters_.size());
  for (const Parameter& parameter : parameters_) {
    // Latents that are summed up are no bits of one network.
    infos.push_back({.name = parameter.name,
                     .role = parameter.role,
                     .count = parameter.value.numel(),
                     .bits = false});
  }
  std::vector<ParameterGroup> groups;
  for (const ResolvedGroup& resolved : resolve_groups(optim, infos)) {
    ParameterGroup group{resolved.fields, {}, {}};
    for (const std::size_t member : resolved.members) {
      group.names.push_back(parameters_[member].key);
      group.parameters.push_back(parameters_[member].value);
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

void SharedWeights::fill(GraphModule& network, const Pick& pick) const {
  const torch::NoGradGuard no_grad;
  const Graph& graph = network.graph();
  for (NodeId node = 0; node < static_cast<NodeId>(graph.nodes.size()); ++node) {
    for (const NamedTensor& named : network.tensors_of(node)) {
      if (is_buffer(named.role)) continue;
      const View view = view_of(graph, node, named, pick);
      const at::Tensor& shared = parameters_[by_key_.at(view.key)].value;
      at::Tensor target = named.tensor;
      target.copy_(view.slices == 1 ? shared
                                    : sum_of_slices(shared, view.slices, view.side_by_side));
    }
  }
}

void SharedWeights::collect(GraphModule& network, const Pick& pick) {
  const torch::NoGradGuard no_grad;
  const Graph& graph = network.graph();
  for (NodeId node = 0; node < static_cast<NodeId>(graph.nodes.size()); ++node) {
    for (const NamedTensor& named : network.tensors_of(node)) {
      at::Tensor gradient = named.tensor.grad();
      if (is_buffer(named.role) || !gradient.defined()) continue;
      at::Tensor target = named.tensor;
      target.mutable_grad().reset();
      const View view = view_of(graph, node, named, pick);
      if (view.slices > 1) gradient = shared_gradient(gradient, view.slices, view.side_by_side);
      at::Tensor& sum = parameters_[by_key_.at(view.key)].value.mutable_grad();
      if (sum.defined()) {
        sum.add_(gradient);
      } else {
        sum = gradient;
      }
    }
  }
}

}  // namespace tbn
