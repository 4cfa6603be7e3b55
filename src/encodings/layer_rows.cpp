// Rows of every alphabet as floats.
#include "encodings/layer_rows.h"

#include <algorithm>

namespace tbn {
namespace {

// Writes the row of a sum, `inputs` floats.
struct RowWriter {
  const LayerRows& layer;
  std::int64_t row;  // of the stored rows
  std::int64_t sum;
  float* to;

  void operator()(const SignRows& signs) const {
    for (std::int64_t k = 0; k < layer.inputs; ++k) {
      to[k] = signs.is_positive(row, k) ? 1.0f : -1.0f;
    }
  }
  // Every output has a sum.
  void operator()(const FlatSigns& flat) const {
    const auto scalars = static_cast<std::int64_t>(flat.alphas.size());
    const std::int64_t slices = layer.outputs * layer.inputs / flat.q;
    for (std::int64_t k = 0; k < layer.inputs; ++k) {
      const std::int64_t i = sum * layer.inputs + k;
      const std::int64_t which = scalars == 1 ? 0 : scalars == slices ? i / flat.q : sum;
      const float alpha = flat.alphas[static_cast<std::size_t>(which)];
      to[k] = flat.is_positive(i) ? alpha : -alpha;
    }
  }
  void operator()(const FloatRows& floats) const {
    std::copy_n(floats.values.data() + row * layer.inputs, layer.inputs, to);
  }
};

}  // namespace

std::vector<float> float_rows(const LayerRows& layer) {
  std::vector<float> rows(static_cast<std::size_t>(layer.sums() * layer.inputs));
  for (std::int64_t sum = 0; sum < layer.sums(); ++sum) {
    const std::int64_t row = layer.shares_sums() ? sum : layer.term.place_of(sum).row;
    std::visit(RowWriter{layer, row, sum, rows.data() + sum * layer.inputs}, layer.values);
  }
  return rows;
}

std::vector<float> expanded(const LayerRows& layer) {
  const std::vector<float> rows = float_rows(layer);
  std::vector<float> weights;
  weights.reserve(static_cast<std::size_t>(layer.outputs * layer.inputs));
  for (std::int64_t c = 0; c < layer.outputs; ++c) {
    const std::int64_t sum = layer.shares_sums() ? layer.term.place_of(c).row : c;
    const float gain = layer.gain_of(c);
    const float* row = rows.data() + sum * layer.inputs;
    for (std::int64_t k = 0; k < layer.inputs; ++k) weights.push_back(gain * row[k]);
  }
  return weights;
}

}  // namespace tbn
