// Plans a network's steps and runs them.
#include "runtime/cuda/program/program.h"

#include <algorithm>

#include "graph/passes/units.h"
#include "runtime/cuda/device/precision.h"
#include "runtime/cuda/layer/layer.h"
#include "runtime/plan/fuse_additions.h"

namespace tbn::cuda {
namespace {

constexpr std::int64_t kAlignment = 256;
std::int64_t aligned(std::int64_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

// The graph in which node 1 alone reads the input: a normalize, or a copy. Its value is what the
// input is imported to.
Graph with_import(Graph graph) {
  const bool alone = use_counts(graph)[0] == 1 && graph.output != 0;
  if (alone && std::holds_alternative<Normalize>(graph.nodes[1].op)) return graph;
  Node copy = graph.nodes[0];
  copy.name += ".import";
  copy.op = Activation{ActivationKind::kNone};
  copy.inputs = {0};
  for (Node& node : graph.nodes) {
    for (NodeId& input : node.inputs) ++input;
  }
  graph.nodes.insert(graph.nodes.begin() + 1, std::move(copy));
  ++graph.output;
  return graph;
}

// The graph without the affine that takes a forecast back to its units, which the export does.
Graph without_output_units(Graph graph, bool has_units) {
  if (!has_units) return graph;
  graph.output = graph.node(graph.output).inputs.front();
  graph.nodes.pop_back();  // see units_of(): it is the last
  return graph;
}

bool has_two_orders(const Shape& shape) {
  return (is_image(shape) || shape.size() == 2) && !is_flat(shape);
}

}  // namespace

DeviceProgram::DeviceProgram(const Graph& graph, const TensorMap& tensors,
                             const LayerOptions& options, Context& device)
    : graph_(with_import(
          fuse_additions(without_output_units(graph, units_of(graph, tensors).has_value())))),
      precision_(options.precision) {
  const NetworkContext context = {graph_, tensors, {precision_, tables_, options, device}};
  plan_import(tables_);
  for (NodeId id = kImport + 1; id < static_cast<NodeId>(graph_.nodes.size()); ++id) {
    plan_node(id, context);
  }
  plan_values();
  plan_chains(options, device);
  output_ = {.shape = graph_.output_shape(),
             .last = last_[static_cast<std::size_t>(graph_.output)]};
  if (!units_of(graph, tensors)) return;
  const std::string& name = graph.node(graph.output).name;
  output_.scale = tables_.keep(tensors.at(name + ".scale").values<float>());
  output_.bias = tables_.keep(tensors.at(name + ".bias").values<float>());
}

void DeviceProgram::plan_import(Tables& tables) {
  const Node& node = graph_.node(kImport);
  input_ = {.shape = node.shape, .last = is_image(node.shape) && !is_flat(node.shape)};
  if (const auto* normalize = std::get_if<Normalize>(&node.op)) {
    input_.mean = tables.keep(normalize->mean);
    input_.deviation = tables.keep(normalize->std);
  }
  nodes_.resize(kImport + 1);
  last_ = {false, input_.last};
}

void DeviceProgram::plan_node(NodeId id, const NetworkContext& context) {
  const Node& node = graph_.node(id);
  Planned planned = {.made = make_step(context, id, last_), .reorders = {}};
  Made& made = planned.made;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Shape& shape = graph_.node(node.inputs[i]).shape;
    const bool last = last_[static_cast<std::size_t>(node.inputs[i])];
    if (last == made.takes_last || !has_two_orders(shape)) continue;
    planned.reorders.push_back(
        {i, element_count(shape), make_reorder(context.steps, shape, made.takes_last)});
  }
  if (made.identity && !planned.reorders.empty()) {
    made.step = std::move(planned.reorders.front().step);
    made.identity = false;
    planned.reorders.clear();
    planned.reorders_only = true;
  }
  last_.push_back(made.gives_last && has_two_orders(node.shape));
  nodes_.push_back(std::move(planned));
}

// Where nothing moves a node may take over its input's memory; what is written in another order may
// not.
void DeviceProgram::plan_values() {
  Graph planned = graph_;
  for (NodeId id = kImport + 1; id < static_cast<NodeId>(nodes_.size()); ++id) {
    Op& op = planned.node(id).op;
    const Planned& node = nodes_[static_cast<std::size_t>(id)];
    if (node.made.identity) op = Flatten{};
    if (node.reorders_only) op = Transpose{};
  }
  plan_ = plan_memory(planned);
}

// Whether a node is a linear layer that reads the value of the node before it alone, which nobody
// else does.
bool DeviceProgram::continues_chain(NodeId id) const {
  if (id >= static_cast<NodeId>(graph_.nodes.size())) return false;
  const Node& node = graph_.node(id);
  const Planned& planned = nodes_[static_cast<std::size_t>(id)];
  return std::holds_alternative<Linear>(node.op) && node.inputs == std::vector<NodeId>{id - 1} &&
         planned.reorders.empty() && use_counts(graph_)[static_cast<std::size_t>(id - 1)] == 1;
}

void DeviceProgram::plan_chains(const LayerOptions& options, Context& device) {
  for (NodeId id = kImport + 1; id < static_cast<NodeId>(nodes_.size()); ++id) {
    const Node& first = graph_.node(id);
    if (!std::holds_alternative<Linear>(first.op) || first.inputs.size() != 1) continue;
    const NodeId begin = id;
    std::vector<const LayerRunner*> layers = {
        nodes_[static_cast<std::size_t>(id)].made.layer.get()};
    while (continues_chain(id + 1) && layers.size() < kMostChained) {
      ++id;
      layers.push_back(nodes_[static_cast<std::size_t>(id)].made.layer.get());
    }
    if (layers.size() < 2) continue;
    if (!nodes_[static_cast<std::size_t>(begin)].reorders.empty()) continue;
    chains_.emplace(begin, ChainRunner(std::move(layers), options, device));
  }
}

void DeviceProgram::prepare(std::int64_t batch) {
  if (is_prepared(batch)) return;
  for (const Planned& node : nodes_) {
    if (node.made.layer != nullptr) node.made.layer->prepare(batch);
    if (node.made.step.prepare) node.made.step.prepare(batch);
  }
  for (auto& entry : chains_) entry.second.prepare(batch);
  prepared_.insert(batch);
}

// The chain that begins at a node, where it runs as one.
const ChainRunner* DeviceProgram::chain_at(NodeId id, std::int64_t batch) const {
  const auto found = chains_.find(id);
  return found != chains_.end() && found->second.runs(batch) ? &found->second : nullptr;
}

std::vector<CudaKernelChoice> DeviceProgram::choices(std::int64_t batch) const {
  std::vector<CudaKernelChoice> choices;
  std::size_t chained = 0;  // layers left of the chain under way
  for (NodeId id = 0; id < static_cast<NodeId>(nodes_.size()); ++id) {
    const Planned& node = nodes_[static_cast<std::size_t>(id)];
    if (node.made.layer == nullptr) continue;
    choices.push_back(node.made.layer->choice(batch));
    const ChainRunner* chain = chain_at(id, batch);
    if (chain != nullptr) chained = chain->size();
    if (chained == 0) continue;
    choices.back().kernel = "chain";
    // The first one stands for all.
    choices.back().microseconds = chain != nullptr ? chain->microseconds(batch) : 0;
    --chained;
  }
  return choices;
}

std::int64_t DeviceProgram::weight_bytes() const {
  std::int64_t bytes = tables_.bytes();
  for (const Planned& node : nodes_) {
    if (node.made.layer != nullptr) bytes += node.made.layer->weight_bytes();
  }
  return bytes;
}

std::int64_t DeviceProgram::arena_bytes(std::int64_t batch) const {
  return plan_.arena_values * batch * value_bytes(precision_);
}

std::int64_t DeviceProgram::reordered_bytes(const Reorder& reorder, std::int64_t batch) const {
  return aligned(reorder.values * batch * value_bytes(precision_));
}

// The counters and what a step works on, the most of any. Layers count the counters in.
std::int64_t DeviceProgram::step_bytes(std::int64_t batch) const {
  std::int64_t most = kCounterBytes;
  for (const Planned& node : nodes_) {
    const auto& bytes = node.made.step.workspace_bytes;
    const std::int64_t counters = node.made.layer != nullptr ? 0 : kCounterBytes;
    if (bytes) most = std::max(most, counters + bytes(batch));
  }
  return aligned(most);
}

// What the steps work on, and inputs in the other order.
std::int64_t DeviceProgram::workspace_bytes(std::int64_t batch) const {
  std::int64_t most = 0;
  for (const Planned& node : nodes_) {
    std::int64_t bytes = 0;
    for (const Reorder& reorder : node.reorders) bytes += reordered_bytes(reorder, batch);
    most = std::max(most, bytes);
  }
  return step_bytes(batch) + most;
}

std::byte* DeviceProgram::value(NodeId id, std::int64_t batch, const RunMemory& memory) const {
  const std::int64_t offset = plan_.slots[static_cast<std::size_t>(id)].offset;
  return memory.arena + offset * batch * value_bytes(precision_);
}

void DeviceProgram::run(std::int64_t batch, const RunMemory& memory, cudaStream_t stream) const {
  std::byte* reordered = memory.workspace + step_bytes(batch);
  for (NodeId id = kImport + 1; id < static_cast<NodeId>(nodes_.size()); ++id) {
    const ChainRunner* chain = chain_at(id, batch);
    if (chain == nullptr) {
      run_node(id, batch, memory, reordered, stream);
      continue;
    }
    std::vector<void*> values = {value(graph_.node(id).inputs[0], batch, memory)};
    for (std::size_t i = 0; i < chain->size(); ++i, ++id) {
      values.push_back(value(id, batch, memory));
    }
    --id;
    chain->run(values, batch, memory.workspace, stream);
  }
}

void DeviceProgram::run_node(NodeId id, std::int64_t batch, const RunMemory& memory,
                             std::byte* reordered, cudaStream_t stream) const {
  const Planned& node = nodes_[static_cast<std::size_t>(id)];
  std::vector<const void*> inputs;
  for (const NodeId input : graph_.node(id).inputs) inputs.push_back(value(input, batch, memory));
  for (const Reorder& reorder : node.reorders) {
    reorder.step.run({.inputs = {&inputs[reorder.input], 1},
                      .output = reordered,
                      .batch = batch,
                      .stream = stream});
    inputs[reorder.input] = reordered;
    reordered += reordered_bytes(reorder, batch);
  }
  // The counters are the layers'.
  const bool layer = node.made.layer != nullptr;
  node.made.step.run({.inputs = inputs,
                      .output = value(id, batch, memory),
                      .batch = batch,
                      .stream = stream,
                      .workspace = memory.workspace + (layer ? 0 : kCounterBytes)});
}

}  // namespace tbn::cuda
