// y = act(gain * (W x) + bias) over the last dimension.
#include <algorithm>

#include "runtime/cpu/reference/accumulate.h"
#include "runtime/cpu/reference/kernel.h"
#include "runtime/cpu/reference/layer.h"

namespace tbn::reference {

namespace {

// A linear layer with its weights transposed to [m, sums], so that one input times one column of
// W is a contiguous run.
struct LinearPlan {
  Layer layer;
  std::vector<std::int64_t> columns;  // offsets of the m columns
  std::int64_t positions = 1;         // vectors per example

  void run(const Buffers& b) const {
    for (std::int64_t i = 0; i < positions; ++i) {
      const std::span<const float> x(b.inputs[0] + i * layer.inputs,
                                     static_cast<std::size_t>(layer.inputs));
      accumulate(x, columns.data(), layer.weights.values.data(), b.scratch, layer.sums);
      finish_vector(layer, b.scratch, b.output + i * layer.outputs);
    }
  }
};

}  // namespace

Kernel make_linear(const Graph& graph, const TensorMap& tensors, const Node& node,
                   const RowsOf& rows_of) {
  LinearPlan plan{.layer = make_layer(graph, tensors, node, rows_of)};
  Layer& layer = plan.layer;
  std::vector<float> transposed(layer.weights.values.size());
  for (std::int64_t r = 0; r < layer.sums; ++r) {
    const std::span<const float> row = layer.weights.row(r);
    for (std::size_t k = 0; k < row.size(); ++k) {
      transposed[k * static_cast<std::size_t>(layer.sums) + static_cast<std::size_t>(r)] = row[k];
    }
  }
  layer.weights.values = std::move(transposed);
  for (std::int64_t k = 0; k < layer.inputs; ++k) plan.columns.push_back(k * layer.sums);
  plan.positions = element_count(node.shape) / layer.outputs;
  const std::int64_t scratch = layer.sums;
  return {.run = [plan = std::move(plan)](const Buffers& b) { plan.run(b); },
          .scratch_values = scratch};
}

}  // namespace tbn::reference
