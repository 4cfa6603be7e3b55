// Packs weights for the device: bits in the order of tile_order.h, taps before channels.
#include "runtime/cuda/layer/layer_weights.h"

#include <limits>
#include <span>

#include "encodings/support.h"
#include "graph/node_rows.h"
#include "runtime/plan/fuse_additions.h"
#include "runtime/plan/layer_outputs.h"
#include "tbn/error.h"

namespace tbn::cuda {
namespace {

constexpr Support kSupport = {.flat_tiles = true,
                              .integers = true,
                              .backend = "CUDA devices",
                              .way_out = "run the network on the processor"};

int narrow(const Node& node, std::int64_t value) {
  if (value >= 0 && value <= std::numeric_limits<int>::max()) return static_cast<int>(value);
  throw DataError(describe(node) + ": it has " + std::to_string(value) +
                  " values in one dimension, more than a CUDA device can index");
}

// A flat tile's kernels know one scalar and those of slices alone. Integers are multiplied as
// floats, which hold them exactly in every precision of a device.
LayerRows rows_of(const Graph& graph, const TensorMap& tensors, const Node& node) {
  LayerRows rows = layer_rows(graph, tensors, node);
  const std::string refused = refusal(kSupport, rows, describe(node));
  if (!refused.empty()) throw ConfigError(refused);
  return with_float_rows(with_output_gains(std::move(rows)));
}
[[noreturn]] void refuse_integers() { TBN_CHECK(false, "integers are floats here"); }

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

void take_form(LayerShape& shape, const Node& node, const LayerRows& rows) {
  std::visit(Overloaded{[&](const SignRows&) {
                          shape.form = WeightForm::kTile;
                          shape.tile_rows = narrow(node, rows.rows());
                          shape.interleaved = rows.term().row_step != 1;
                        },
                        [&](const FlatTile& flat) {
                          shape.form = WeightForm::kFlat;
                          shape.flat_bits = narrow(node, flat.q);
                          shape.flat_scalars = static_cast<int>(flat.alphas.size());
                        },
                        [](const IntegerRows&) { refuse_integers(); },
                        [&](const FloatRows&) { shape.form = WeightForm::kFloat; }},
             rows.values);
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

std::vector<std::uint32_t> tile_bits(const SignRows& signs, std::int64_t inputs,
                                     const LayerShape& shape) {
  const int blocks = shape.order.blocks();
  std::vector<std::uint32_t> words(static_cast<std::size_t>(tile_words(shape.tile_rows, blocks)));
  each_weight(shape.order, shape.tile_rows, [&](std::size_t i, int r, int k) {
    if (!signs.is_positive(r, static_cast<std::int64_t>(i) % inputs)) return;
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

std::vector<float> device_floats(std::span<const float> values, const LayerShape& shape) {
  std::vector<float> floats(static_cast<std::size_t>(shape.rows) *
                            static_cast<std::size_t>(shape.order.inputs()));
  each_weight(shape.order, shape.rows, [&](std::size_t i, int r, int k) {
    floats[static_cast<std::size_t>(std::int64_t{r} * shape.order.inputs() + k)] = values[i];
  });
  return floats;
}

}  // namespace

LayerShape layer_shape(const Graph& graph, const TensorMap& tensors, const Node& node) {
  const LayerRows rows = rows_of(graph, tensors, node);
  const LayerOutputs outputs = layer_outputs(rows, tensors, node);
  LayerShape shape;
  if (const auto* conv = std::get_if<Conv2d>(&node.op)) {
    take_images(shape, *conv, graph, node);
  } else {
    take_vectors(shape, node, outputs.inputs);
  }
  shape.outputs = narrow(node, outputs.outputs);
  shape.rows = shape.tile_rows = narrow(node, outputs.sums);
  shape.row_step = narrow(node, outputs.term().row_step);
  shape.copy_step = narrow(node, outputs.term().copy_step);
  shape.activation = static_cast<int>(outputs.activation);
  shape.residual = adds_input(node);
  take_form(shape, node, rows);
  return shape;
}

LayerWeights layer_weights(const Graph& graph, const TensorMap& tensors, const Node& node,
                           const LayerShape& shape) {
  const LayerRows rows = rows_of(graph, tensors, node);
  LayerOutputs outputs = layer_outputs(rows, tensors, node);
  LayerWeights weights{.gain = std::move(outputs.terms.front().gain),
                       .bias = std::move(outputs.bias)};
  std::visit(
      Overloaded{
          [&](const SignRows& signs) { weights.bits = tile_bits(signs, rows.inputs, shape); },
          [&](const FlatTile& flat) {
            weights.bits = flat_bits(flat.bits);
            weights.floats.assign(flat.alphas.begin(), flat.alphas.end());
          },
          [](const IntegerRows&) { refuse_integers(); },
          [&](const FloatRows& floats) { weights.floats = device_floats(floats.values, shape); }},
      rows.values);
  return weights;
}

}  // namespace tbn::cuda
