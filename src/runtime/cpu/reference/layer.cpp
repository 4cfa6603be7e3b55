// Expands packed weights once, when a session is made.
#include "runtime/cpu/reference/layer.h"

namespace tbn::reference {

Layer make_layer(const Graph& graph, const TensorMap& tensors, const Node& node,
                 const RowsOf& rows_of) {
  const LayerRows rows = rows_of(graph, tensors, node);
  return {layer_outputs(rows, tensors, node), dense_rows(rows)};
}

namespace {

// output[c] = gain[c] * sums[of c] + others[c].
void add_term(const SumTerm& term, const float* sums, const float* others, float* output) {
  const float* gain = term.gain.data();
  for (std::int64_t copy = 0; copy < term.copies(); ++copy) {
    const std::int64_t first = copy * term.copy_step;
    if (term.row_step == 1) {  // a loop that compilers vectorise
      for (std::int64_t r = 0; r < term.rows; ++r) {
        output[first + r] = gain[first + r] * sums[r] + others[first + r];
      }
    } else {
      for (std::int64_t r = 0; r < term.rows; ++r) {
        const std::int64_t c = first + r * term.row_step;
        output[c] = gain[c] * sums[r] + others[c];
      }
    }
  }
}

}  // namespace

void finish_vector(const LayerOutputs& layer, const float* sums, float* output) {
  const float* others = layer.bias.data();
  for (const SumTerm& term : layer.terms) {
    add_term(term, sums + term.first, others, output);
    others = output;
  }
  apply_activation(layer.activation, output, layer.outputs);
}

}  // namespace tbn::reference
