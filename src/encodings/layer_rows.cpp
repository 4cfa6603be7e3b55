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
  void operator()(const FlatTile& flat) const {
    for (std::int64_t k = 0; k < layer.inputs; ++k) {
      const std::int64_t i = sum * layer.inputs + k;
      const std::int64_t which = flat.alphas_of == ScalarsOf::kLayer    ? 0
                                 : flat.alphas_of == ScalarsOf::kCopies ? i / flat.q
                                                                        : sum;
      const float alpha = flat.alphas[static_cast<std::size_t>(which)];
      to[k] = flat.is_positive(i) ? alpha : -alpha;
    }
  }
  void operator()(const IntegerRows& integers) const {
    std::copy_n(integers.values.data() + row * layer.inputs, layer.inputs, to);
  }
  void operator()(const FloatRows& floats) const {
    std::copy_n(floats.values.data() + row * layer.inputs, layer.inputs, to);
  }
};

}  // namespace

DenseRows dense_rows(const LayerRows& layer) {
  DenseRows rows = {layer.inputs,
                    std::vector<float>(static_cast<std::size_t>(layer.sums() * layer.inputs))};
  for (std::int64_t sum = 0; sum < layer.sums(); ++sum) {
    const std::int64_t row = layer.shares_sums() ? sum : layer.term.place_of(sum).row;
    std::visit(RowWriter{layer, row, sum, rows.values.data() + sum * layer.inputs}, layer.values);
  }
  return rows;
}

LayerRows with_float_rows(LayerRows layer) {
  const auto* integers = std::get_if<IntegerRows>(&layer.values);
  if (integers == nullptr) return layer;
  const auto floats =
      std::make_shared<std::vector<float>>(integers->values.begin(), integers->values.end());
  layer.values = FloatRows{*floats};
  layer.keep = floats;
  return layer;
}

LayerRows with_output_gains(LayerRows layer) {
  auto* flat = std::get_if<FlatTile>(&layer.values);
  if (flat == nullptr || flat->alphas_of != ScalarsOf::kOutputs) return layer;
  static constexpr float kOne[] = {1.0f};
  Gains gain = {.of = ScalarsOf::kOutputs, .values = {}};
  for (std::int64_t c = 0; c < layer.outputs; ++c) {
    gain.values.push_back(layer.gain_of(c) * flat->alphas[static_cast<std::size_t>(c)]);
  }
  layer.term.gain = std::move(gain);
  flat->alphas = kOne;
  flat->alphas_of = ScalarsOf::kLayer;
  return layer;
}

std::vector<float> expanded(const LayerRows& layer) {
  const DenseRows rows = dense_rows(layer);
  std::vector<float> weights;
  weights.reserve(static_cast<std::size_t>(layer.outputs * layer.inputs));
  for (std::int64_t c = 0; c < layer.outputs; ++c) {
    const std::int64_t sum = layer.shares_sums() ? layer.term.place_of(c).row : c;
    const float gain = layer.gain_of(c);
    for (const float weight : rows.row(sum)) weights.push_back(gain * weight);
  }
  return weights;
}

}  // namespace tbn
