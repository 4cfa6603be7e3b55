// y = act(gain * (T x) + bias) over the last dimension, T by look-ups.
#include "runtime/cpu/exact/kernel.h"
#include "runtime/cpu/reference/layer.h"

namespace tbn::exact {
namespace {

struct LinearPlan {
  reference::Layer layer;  // without its weights
  SignSums weights;
  std::int64_t positions = 1;  // vectors an example

  std::int64_t table_values() const { return weights.patterns * weights.isa->table; }

  void run(const cpu::Buffers& b) const {
    float* tables = aligned(b.scratch);
    float* sums = tables + table_values();
    for (std::int64_t i = 0; i < positions; ++i) {
      weights.build(b.inputs[0] + i * layer.inputs, 1, layer.inputs, tables);
      weights.add(tables, sums);
      finish_vector(layer, sums, b.output + i * layer.outputs);
    }
  }
};

}  // namespace

cpu::Kernel make_linear(const Graph& graph, const TensorMap& tensors, const Node& node,
                        const Isa& isa) {
  LinearPlan plan{.layer = reference::make_layer(graph, tensors, node)};
  const std::int64_t whole[] = {0};
  plan.weights = prepare(isa, plan.layer.rows, plan.layer.inputs, whole,
                         [&](std::int64_t r, std::int64_t, std::int64_t k) {
                           return plan.layer.row(r)[static_cast<std::size_t>(k)] > 0;
                         });
  plan.layer.weights = {};
  plan.positions = element_count(node.shape) / plan.layer.outputs;
  const std::int64_t scratch = kLineValues + plan.table_values() + plan.weights.padded_rows();
  return {.run = [plan = std::move(plan)](const cpu::Buffers& b) { plan.run(b); },
          .scratch_values = scratch};
}

}  // namespace tbn::exact
