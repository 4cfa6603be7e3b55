// Steps are grown from convolutions towards the output; everything else is a step of its own.
#include "train/executor/graph_module_plan.h"

#include <algorithm>

#include "graph/node_rows.h"
#include "train/encodings/trained_weight.h"

namespace tbn {
namespace {

// A convolution whose encoding trains the norm after it together with it.
bool takes_norm(const Graph& graph, const Node& node) {
  const auto* conv = std::get_if<Conv2d>(&node.op);
  return conv != nullptr &&
         trained_room(conv->weights).takes_norm(conv->weights, dims_of(graph, node), conv->bias);
}

bool is_pool(const Op& op) {
  return std::holds_alternative<MaxPool2d>(op) || std::holds_alternative<AvgPool2d>(op);
}

class Planner {
 public:
  explicit Planner(const Graph& graph)
      : graph_(graph), uses_(use_counts(graph)), taken_(graph.nodes.size(), false) {}

  // The step that begins at node `id`, with every node after it that it can take in.
  PlanStep step_from(NodeId id, bool fuse) {
    PlanStep step{.node = id, .output = id};
    if (!fuse || !takes_norm(graph_, graph_.node(id))) return step;
    NodeId norm = only_user(id);
    const NodeId pool = norm;
    if (pool >= 0 && is_pool(graph_.node(pool).op)) norm = only_user(pool);
    if (norm < 0 || !std::holds_alternative<BatchNorm>(graph_.node(norm).op)) return step;
    if (pool != norm) step.pool = take(pool, step);
    step.norm = take(norm, step);
    const NodeId sum = only_user(step.output);
    if (sum >= 0 && std::holds_alternative<Add>(graph_.node(sum).op)) {
      const auto& inputs = graph_.node(sum).inputs;
      step.residual = inputs[0] == norm ? inputs[1] : inputs[0];
      take(sum, step);
    }
    const NodeId relu = only_user(step.output);
    if (relu >= 0 && graph_.node(relu).op == Op{Activation{ActivationKind::kRelu}}) {
      step.relu = true;
      take(relu, step);
    }
    return step;
  }

  bool taken(NodeId id) const { return taken_[static_cast<std::size_t>(id)]; }

 private:
  NodeId take(NodeId id, PlanStep& step) {
    taken_[static_cast<std::size_t>(id)] = true;
    step.output = id;
    return id;
  }

  // The one node that reads the value of `id`, if it is alone and free; else -1.
  NodeId only_user(NodeId id) const {
    if (uses_[static_cast<std::size_t>(id)] != 1 || id == graph_.output) return -1;
    for (NodeId user = id + 1; user < static_cast<NodeId>(graph_.nodes.size()); ++user) {
      const auto& inputs = graph_.node(user).inputs;
      if (std::find(inputs.begin(), inputs.end(), id) != inputs.end())
        return taken(user) ? -1 : user;
    }
    return -1;
  }

  const Graph& graph_;
  std::vector<int> uses_;
  std::vector<bool> taken_;
};

void mark_last_uses(const Graph& graph, std::vector<PlanStep>& steps) {
  std::vector<bool> seen(graph.nodes.size(), false);
  seen[static_cast<std::size_t>(graph.output)] = true;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    std::vector<NodeId> reads = graph.node(step->node).inputs;
    if (step->residual >= 0) reads.push_back(step->residual);
    for (const NodeId id : reads) {
      if (!seen[static_cast<std::size_t>(id)]) step->last_uses.push_back(id);
      seen[static_cast<std::size_t>(id)] = true;
    }
  }
}

}  // namespace

std::vector<PlanStep> plan_steps(const Graph& graph, bool fuse) {
  Planner planner(graph);
  std::vector<PlanStep> steps;
  // From the last node back: of two branches into a sum, the later one takes it, when the other's
  // value is there. A step runs in the place of its last node.
  for (auto id = static_cast<NodeId>(graph.nodes.size()) - 1; id >= 0; --id) {
    if (!planner.taken(id)) steps.push_back(planner.step_from(id, fuse));
  }
  std::sort(steps.begin(), steps.end(),
            [](const PlanStep& a, const PlanStep& b) { return a.output < b.output; });
  // Nodes that were visited before the step that took them have a step of their own: drop it.
  std::erase_if(steps, [&](const PlanStep& step) { return planner.taken(step.node); });
  mark_last_uses(graph, steps);
  return steps;
}

}  // namespace tbn
