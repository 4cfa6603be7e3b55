// Packs weights for the device: bits in the order of tile_order.h, taps before channels.
#include "runtime/cuda/layer/layer_weights.h"

#include <limits>
#include <span>

#include "runtime/cpu/reference/layer.h"
#include "runtime/plan/fuse_additions.h"
#include "tbn/error.h"

namespace tbn::cuda {
namespace {

int narrow(const Node& node, std::int64_t value) {
  if (value >= 0 && value <= std::numeric_limits<int>::max()) return static_cast<int>(value);
  throw DataError(describe(node) + ": it has " + std::to_string(value) +
                  " values in one dimension, more than a CUDA device can index");
}

bool is_float(const Node& node) {
  return std::holds_alternative<FloatWeights>(*weights_of(node.op));
}

// The scalars of a tile that cuts rows, where there is not one an output: those are in the gain.
std::vector<float> flat_scalars(const TensorMap& tensors, const Node& node,
                                const TileLayout& tile) {
  const auto scalars = tensors.at(node.name + ".alpha").values<float>();
  if (scope_of(tile, scalars.size()) == AlphaScope::kOutput) return {1.0f};
  return {scalars.begin(), scalars.end()};
}

void take_images(LayerShape& shape, const Conv2d& conv, const Graph& graph, const Node& node) {
  const Shape& input = graph.node(node.inputs.front()).shape;
  shape.channels = narrow(node, input[0]);
  shape.in_h = narrow(node, input[1]);
  shape.in_w = narrow(node, input[2]);
  shape.out_h = narrow(node, node.shape[1]);
  shape.out_w = narrow(node, node.shape[2]);
  shape.kernel_h = narrow(node, conv.kernel.h);
  shape.kernel_w = narrow(node, conv.kernel.w);
  shape.stride_h = narrow(node, conv.stride.h);
  shape.stride_w = narrow(node, conv.stride.w);
  shape.padding_h = narrow(node, conv.padding.h);
  shape.padding_w = narrow(node, conv.padding.w);
  shape.groups = narrow(node, conv.groups);
  const int taps = narrow(node, conv.kernel.h * conv.kernel.w);
  // Beyond what tap padding and blocks of inputs add.
  narrow(node, std::int64_t{taps} * (shape.channels / shape.groups + kTapInputs) + kBlockInputs);
  shape.order = InputOrder::of(taps, shape.channels / shape.groups);
}

// Every vector is an image of one pixel.
void take_vectors(LayerShape& shape, const Node& node, std::int64_t inputs) {
  shape.batch = narrow(node, element_count(node.shape) / node.shape.back());
  shape.channels = narrow(node, inputs + kBlockInputs) - kBlockInputs;
  shape.order = InputOrder::of(1, shape.channels);
}

void take_form(LayerShape& shape, const TensorMap& tensors, const Node& node,
               const TileLayout& tile) {
  if (tile.form == TileForm::kRows) {
    shape.tile_rows = narrow(node, tile.rows());
    shape.interleaved = tile.order == TileOrder::kInterleave;
    return;
  }
  shape.form = WeightForm::kFlat;
  shape.flat_bits = narrow(node, tile.q);
  shape.flat_scalars = static_cast<int>(flat_scalars(tensors, node, tile).size());
}

// Calls f(i, r, k) for weight i of a row-major [rows, channels, taps] at row r and device input k.
template <class F>
void each_weight(const InputOrder& order, int rows, F f) {
  std::size_t i = 0;
  for (int r = 0; r < rows; ++r) {
    for (int c = 0; c < order.channels; ++c) {
      for (int tap = 0; tap < order.taps; ++tap) f(i++, r, tap * order.tap_inputs + c);
    }
  }
}

std::vector<std::uint32_t> tile_bits(const TileLayout& tile, std::span<const std::uint8_t> packed,
                                     const LayerShape& shape) {
  const int blocks = shape.order.blocks();
  std::vector<std::uint32_t> words(static_cast<std::size_t>(tile_words(shape.tile_rows, blocks)));
  const auto row_bytes = static_cast<std::size_t>(tile.row_bytes());
  const auto row_bits = static_cast<std::size_t>(tile.row_bits());
  each_weight(shape.order, shape.tile_rows, [&](std::size_t i, int r, int k) {
    const std::size_t bit = i % row_bits;
    if ((packed[static_cast<std::size_t>(r) * row_bytes + bit / 8] >> bit % 8 & 1u) == 0) return;
    const BitPlace place = bit_place(r, k, blocks);
    words[static_cast<std::size_t>(place.word)] |= 1u << place.bit;
  });
  return words;
}

// Byte by byte into words: bit i of the tile is bit i mod 32 of word i / 32.
std::vector<std::uint32_t> flat_bits(std::span<const std::uint8_t> packed) {
  std::vector<std::uint32_t> words((packed.size() + 3) / 4);
  for (std::size_t i = 0; i < packed.size(); ++i) {
    words[i / 4] |= static_cast<std::uint32_t>(packed[i]) << i % 4 * 8;
  }
  return words;
}

}  // namespace

LayerShape layer_shape(const Graph& graph, const TensorMap& tensors, const Node& node) {
  const reference::Layer outputs = reference::make_outputs(graph, tensors, node);
  LayerShape shape;
  if (const auto* conv = std::get_if<Conv2d>(&node.op)) {
    take_images(shape, *conv, graph, node);
  } else {
    take_vectors(shape, node, outputs.inputs);
  }
  shape.outputs = narrow(node, outputs.outputs);
  shape.rows = shape.tile_rows = narrow(node, outputs.rows);
  shape.row_step = narrow(node, outputs.row_step);
  shape.copy_step = narrow(node, outputs.copy_step);
  shape.activation = static_cast<int>(outputs.activation);
  shape.residual = adds_input(node);
  shape.form = WeightForm::kFloat;
  if (is_float(node)) return shape;
  shape.form = WeightForm::kTile;
  take_form(shape, tensors, node, tile_layout_of(graph, node));
  return shape;
}

LayerWeights layer_weights(const Graph& graph, const TensorMap& tensors, const Node& node,
                           const LayerShape& shape) {
  reference::Layer outputs = reference::make_outputs(graph, tensors, node);
  LayerWeights weights{.gain = std::move(outputs.gain), .bias = std::move(outputs.bias)};
  if (shape.form == WeightForm::kFloat) {
    const auto values = tensors.at(node.name + ".weight").values<float>();
    weights.floats.assign(
        static_cast<std::size_t>(shape.rows) * static_cast<std::size_t>(shape.order.inputs()), 0);
    each_weight(shape.order, shape.rows, [&](std::size_t i, int r, int k) {
      weights.floats[static_cast<std::size_t>(std::int64_t{r} * shape.order.inputs() + k)] =
          values[i];
    });
    return weights;
  }
  const TileLayout tile = tile_layout_of(graph, node);
  const auto packed = tensors.at(node.name + ".tile").values<std::uint8_t>();
  if (shape.form == WeightForm::kTile) {
    weights.bits = tile_bits(tile, packed, shape);
    return weights;
  }
  weights.bits = flat_bits(packed);
  weights.floats = flat_scalars(tensors, node, tile);
  const auto scalars = tensors.at(node.name + ".alpha").values<float>();
  if (scope_of(tile, scalars.size()) != AlphaScope::kOutput) return weights;
  for (std::size_t c = 0; c < weights.gain.size(); ++c) weights.gain[c] *= scalars[c];
  return weights;
}

}  // namespace tbn::cuda
