// Expands packed weights once, when a session is made.
#include "runtime/cpu/reference/layer.h"

#include "tbn/error.h"

namespace tbn::reference {

namespace {

std::span<const float> floats(const TensorMap& tensors, const std::string& name) {
  return tensors.at(name).values<float>();
}

// Whose tile is reused in arithmetic.
void take_rows(Layer& layer, const TileLayout& tile) {
  const bool interleaved = tile.order == TileOrder::kInterleave;
  layer.rows = tile.rows();
  layer.row_step = interleaved ? tile.p : 1;
  layer.copy_step = interleaved ? 1 : tile.rows();
}

void multiply_gain(Layer& layer, std::span<const float> factors) {
  for (std::size_t c = 0; c < layer.gain.size(); ++c) layer.gain[c] *= factors[c];
}

void multiply_gain(Layer& layer, const TileLayout& tile, std::span<const float> alphas) {
  const AlphaScope scope = scope_of(tile, alphas.size());
  for (std::size_t c = 0; c < layer.gain.size(); ++c) {
    const std::int64_t first = static_cast<std::int64_t>(c) * tile.inputs;
    layer.gain[c] *= alphas[static_cast<std::size_t>(scalar_index(tile, scope, first))];
  }
}

// In rows form every output has one scalar, which goes into its gain.
void take_tile(Layer& layer, const Graph& graph, const TensorMap& tensors, const Node& node) {
  const TileLayout tile = tile_layout_of(graph, node);
  if (tile.form != TileForm::kRows) return;
  if (reuses_rows(graph, node)) take_rows(layer, tile);
  const auto alpha = tensors.find(node.name + ".alpha");
  if (alpha != tensors.end()) multiply_gain(layer, tile, alpha->second.values<float>());
}

bool is_float(const Node& node) {
  return std::holds_alternative<FloatWeights>(*weights_of(node.op));
}

struct Epilogue {
  bool scale;
  bool bias;
  ActivationKind activation;
};

Epilogue epilogue_of(const Op& op) {
  if (const auto* conv = std::get_if<Conv2d>(&op))
    return {conv->scale, conv->bias, conv->activation};
  const auto& linear = std::get<Linear>(op);
  return {linear.scale, linear.bias, linear.activation};
}

}  // namespace

Layer make_outputs(const Graph& graph, const TensorMap& tensors, const Node& node) {
  const WeightShape shape = weight_shape(graph, node);
  const Epilogue epilogue = epilogue_of(node.op);
  const auto n = static_cast<std::size_t>(shape.outputs);
  Layer layer{.outputs = shape.outputs, .inputs = shape.inputs, .rows = shape.outputs};
  layer.gain.assign(n, 1.0f);
  layer.bias.assign(n, 0.0f);
  layer.activation = epilogue.activation;
  if (!is_float(node)) take_tile(layer, graph, tensors, node);
  if (epilogue.scale) multiply_gain(layer, floats(tensors, node.name + ".scale"));
  if (epilogue.bias) {
    const std::span<const float> bias = floats(tensors, node.name + ".bias");
    layer.bias.assign(bias.begin(), bias.end());
  }
  return layer;
}

std::vector<float> make_weights(const Graph& graph, const TensorMap& tensors, const Node& node) {
  if (is_float(node)) {
    const std::span<const float> weights = floats(tensors, node.name + ".weight");
    return {weights.begin(), weights.end()};
  }
  constexpr float kOne[] = {1.0f};
  const TileLayout tile = tile_layout_of(graph, node);
  const auto bits = tensors.at(node.name + ".tile").values<std::uint8_t>();
  if (reuses_rows(graph, node)) return unpack_tile(tile, bits);
  if (tile.form == TileForm::kRows) return expand_weights(tile, bits, kOne);
  return expand_weights(tile, bits, floats(tensors, node.name + ".alpha"));
}

Layer make_layer(const Graph& graph, const TensorMap& tensors, const Node& node) {
  Layer layer = make_outputs(graph, tensors, node);
  layer.weights = make_weights(graph, tensors, node);
  TBN_CHECK(static_cast<std::int64_t>(layer.weights.size()) == layer.rows * layer.inputs,
            describe(node) + ": expanded weights");
  return layer;
}

void finish_vector(const Layer& layer, const float* sums, float* output) {
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
