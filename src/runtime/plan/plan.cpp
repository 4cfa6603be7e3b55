// First fit by liveness, in the order of execution.
#include "runtime/plan/plan.h"

#include <algorithm>
#include <map>
#include <span>

#include "base/text.h"
#include "graph/op_traits.h"
#include "tbn/error.h"

namespace tbn {

namespace {

std::vector<Slot> live_ranges(const Graph& graph) {
  std::vector<Slot> slots(graph.nodes.size());
  for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes.size()); ++id) {
    Slot& slot = slots[static_cast<std::size_t>(id)];
    slot.size = element_count(graph.node(id).shape);
    slot.first = slot.last = id;
    for (const NodeId input : graph.node(id).inputs) {
      slots[static_cast<std::size_t>(input)].last = id;
    }
  }
  slots[static_cast<std::size_t>(graph.output)].last = static_cast<NodeId>(graph.nodes.size());
  return slots;
}

// The arena's memory in use: offset -> size, sizes rounded up to the alignment.
class Arena {
 public:
  // The lowest offset where `size` floats fit.
  std::int64_t allocate(std::int64_t size) {
    const std::int64_t padded = (size + kSlotAlignment - 1) / kSlotAlignment * kSlotAlignment;
    std::int64_t offset = 0;
    for (const auto& [begin, length] : used_) {
      if (begin - offset >= padded) break;
      offset = begin + length;
    }
    if (padded > 0) used_.emplace(offset, padded);
    peak_ = std::max(peak_, offset + padded);
    return offset;
  }
  void release(std::int64_t offset) { used_.erase(offset); }
  std::int64_t peak() const { return peak_; }

 private:
  std::map<std::int64_t, std::int64_t> used_;
  std::int64_t peak_ = 0;
};

// The inputs that the node reads value by value, to write the same places of its output.
std::span<const NodeId> overwritable_inputs(const Node& node) {
  const std::span<const NodeId> inputs = node.inputs;
  if (traits_of(node.op).in_place) return inputs;
  const bool adds_residual = weights_of(node.op) != nullptr && inputs.size() == 2;
  return adds_residual && inputs[0] != inputs[1] ? inputs.subspan(1) : inputs.first(0);
}

// The input whose memory the node takes over, or -1.
NodeId overwritten_input(const Graph& graph, const std::vector<Slot>& slots, NodeId id) {
  for (const NodeId input : overwritable_inputs(graph.node(id))) {
    const Slot& slot = slots[static_cast<std::size_t>(input)];
    const bool same_size = slot.size == slots[static_cast<std::size_t>(id)].size;
    if (slot.last == id && slot.offset >= 0 && same_size) return input;
  }
  return -1;
}

// Frees what node `id` was the last to read, each value once, but for what its output took over;
// and its own output where nobody reads it.
void release_dead(const Graph& graph, const std::vector<Slot>& slots, NodeId id, NodeId kept,
                  Arena& arena) {
  std::vector<NodeId> dead = graph.node(id).inputs;
  dead.push_back(id);
  std::sort(dead.begin(), dead.end());
  dead.erase(std::unique(dead.begin(), dead.end()), dead.end());
  for (const NodeId value : dead) {
    const Slot& slot = slots[static_cast<std::size_t>(value)];
    if (slot.last == id && slot.offset >= 0 && value != kept) arena.release(slot.offset);
  }
}

}  // namespace

MemoryPlan plan_memory(const Graph& graph) {
  MemoryPlan plan{.slots = live_ranges(graph)};
  Arena arena;
  for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes.size()); ++id) {
    if (std::holds_alternative<Input>(graph.node(id).op)) continue;
    Slot& slot = plan.slots[static_cast<std::size_t>(id)];
    const NodeId taken = overwritten_input(graph, plan.slots, id);
    slot.offset =
        taken >= 0 ? plan.slots[static_cast<std::size_t>(taken)].offset : arena.allocate(slot.size);
    if (arena.peak() > kMaxArenaValues) {
      throw DataError("network " + in_quotes(graph.name) + ": its activations take more than " +
                      grouped(static_cast<std::uint64_t>(kMaxArenaValues)) +
                      " values for one example, reached at " + describe(graph.node(id)) +
                      "; no such network is run");
    }
    release_dead(graph, plan.slots, id, taken, arena);
  }
  plan.arena_values = arena.peak();
  return plan;
}

}  // namespace tbn
