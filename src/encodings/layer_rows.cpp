// Rows of every alphabet as floats.
#include "encodings/layer_rows.h"

#include <algorithm>

namespace tbn {
namespace {

// Writes the row of a sum, `inputs` floats.
struct RowWriter {
  const LayerRows& layer;
  std::int64_t row;  // of the stored ones
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

std::int64_t LayerRows::rows() const {
  std::int64_t most = 0;
  for (const Term& term : terms) most = std::max(most, term.first_row + term.rows);
  return most;
}

std::int64_t LayerRows::sums() const {
  return shares_sums() ? rows() : static_cast<std::int64_t>(terms.size()) * outputs;
}

std::int64_t LayerRows::sum_of(std::size_t term, std::int64_t output) const {
  if (!shares_sums()) return static_cast<std::int64_t>(term) * outputs + output;
  return terms[term].first_row + terms[term].place_of(output).row;
}

DenseRows dense_rows(const LayerRows& layer) {
  DenseRows rows = {layer.inputs,
                    std::vector<float>(static_cast<std::size_t>(layer.sums() * layer.inputs))};
  const bool shared = layer.shares_sums();
  for (std::int64_t sum = 0; sum < layer.sums(); ++sum) {
    const Term& term = layer.terms[static_cast<std::size_t>(shared ? 0 : sum / layer.outputs)];
    const std::int64_t row = shared ? sum : term.first_row + term.place_of(sum % layer.outputs).row;
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

LayerRows with_one_term(LayerRows layer) {
  if (layer.terms.size() == 1) return layer;
  const auto weights = std::make_shared<std::vector<float>>(expanded(layer));
  layer.values = FloatRows{*weights};
  layer.terms = {{.rows = layer.outputs, .gain = {}}};
  layer.keep = weights;
  return layer;
}

LayerRows with_output_gains(LayerRows layer) {
  auto* flat = std::get_if<FlatTile>(&layer.values);
  if (flat == nullptr || flat->alphas_of != ScalarsOf::kOutputs) return layer;
  static constexpr float kOne[] = {1.0f};
  Gains gain = {.of = ScalarsOf::kOutputs, .values = {}};
  for (std::int64_t c = 0; c < layer.outputs; ++c) {
    gain.values.push_back(layer.term().gain_of(c) * flat->alphas[static_cast<std::size_t>(c)]);
  }
  layer.terms.front().gain = std::move(gain);
  flat->alphas = kOne;
  flat->alphas_of = ScalarsOf::kLayer;
  return layer;
}

std::vector<float> expanded(const LayerRows& layer) {
  const DenseRows rows = dense_rows(layer);
  std::vector<float> weights;
  weights.reserve(static_cast<std::size_t>(layer.outputs * layer.inputs));
  std::vector<double> weight(static_cast<std::size_t>(layer.inputs));
  for (std::int64_t c = 0; c < layer.outputs; ++c) {
    std::ranges::fill(weight, 0.0);
    for (std::size_t t = 0; t < layer.terms.size(); ++t) {
      const double gain = layer.terms[t].gain_of(c);
      const std::span<const float> row = rows.row(layer.sum_of(t, c));
      for (std::size_t k = 0; k < row.size(); ++k) weight[k] += gain * row[k];
    }
    for (const double value : weight) weights.push_back(static_cast<float>(value));
  }
  return weights;
}

}  // namespace tbn
