// Expands packed weights once, when a session is made.
#include "runtime/cpu/reference/layer.h"

namespace tbn::reference {

Layer make_layer(const Graph& graph, const TensorMap& tensors, const Node& node,
                 const RowsOf& rows_of) {
  const LayerRows rows = rows_of(graph, tensors, node);
  return {layer_outputs(rows, tensors, node), dense_rows(rows)};
}

void finish_vector(const LayerOutputs& layer, const float* sums, float* output) {
  const float* gain = layer.gain.data();
  const float* bias = layer.bias.data();
  for (std::int64_t copy = 0; copy < layer.copies(); ++copy) {
    const std::int64_t first = copy * layer.copy_step;
    if (layer.row_step == 1) {  // a loop that compilers vectorise
      for (std::int64_t r = 0; r < layer.rows; ++r) {
        output[first + r] = gain[first + r] * sums[r] + bias[first + r];
      }
    } else {
      for (std::int64_t r = 0; r < layer.rows; ++r) {
        const std::int64_t c = first + r * layer.row_step;
        output[c] = gain[c] * sums[r] + bias[c];
      }
    }
  }
  apply_activation(layer.activation, output, layer.outputs);
}

}  // namespace tbn::reference
