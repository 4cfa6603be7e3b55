// Packs a layer's weights for the device, and runs it by the plain kernel.
#include "runtime/cuda/layer_runner.h"

#include <vector>

#include "runtime/cpu/reference/layer.h"
#include "runtime/cuda/layer.h"
#include "runtime/cuda/memory.h"
#include "runtime/cuda/precision.h"

namespace tbn::cuda {
namespace {

int number(std::int64_t x) { return static_cast<int>(x); }

bool is_float(const Node& node) {
  return std::holds_alternative<FloatWeights>(*weights_of(node.op));
}

LayerShape shape_of(const Graph& graph, const Node& node, const reference::Layer& layer) {
  LayerShape shape;
  shape.outputs = number(layer.outputs);
  shape.rows = shape.tile_rows = number(layer.rows);
  shape.row_step = number(layer.row_step);
  shape.copy_step = number(layer.copy_step);
  shape.activation = static_cast<int>(layer.activation);
  shape.residual = node.inputs.size() == 2;
  const auto* conv = std::get_if<Conv2d>(&node.op);
  if (conv == nullptr) {
    shape.batch = number(element_count(node.shape) / layer.outputs);
    shape.channels = number(layer.inputs);
    shape.order = InputOrder::of(1, shape.channels);
    return shape;
  }
  const Shape& input = graph.node(node.inputs[0]).shape;
  shape.channels = number(input[0]);
  shape.in_h = number(input[1]);
  shape.in_w = number(input[2]);
  shape.out_h = number(node.shape[1]);
  shape.out_w = number(node.shape[2]);
  shape.kernel_h = number(conv->kernel.h);
  shape.kernel_w = number(conv->kernel.w);
  shape.stride_h = number(conv->stride.h);
  shape.stride_w = number(conv->stride.w);
  shape.padding_h = number(conv->padding.h);
  shape.padding_w = number(conv->padding.w);
  shape.groups = number(conv->groups);
  shape.order = InputOrder::of(shape.kernel_h * shape.kernel_w, shape.channels / shape.groups);
  return shape;
}

// f(place in a row of the file, place in a row on the device) for each weight of a row.
template <class F>
void each_input(const InputOrder& order, F f) {
  for (int channel = 0; channel < order.channels; ++channel) {
    for (int tap = 0; tap < order.taps; ++tap) {
      f(static_cast<std::size_t>(channel * order.taps + tap), tap * order.tap_inputs + channel);
    }
  }
}

// All words of a tile, or of q bits in file order.
std::vector<std::uint32_t> pack_bits(const LayerShape& shape, const TileLayout& tile,
                                     std::span<const std::uint8_t> file) {
  const auto bit = [&](std::int64_t row, std::size_t i) {
    return file[static_cast<std::size_t>(row * tile.row_bytes()) + i / 8] >> i % 8 & 1u;
  };
  if (shape.form == WeightForm::kFlat) {
    std::vector<std::uint32_t> words(static_cast<std::size_t>((tile.q + 31) / 32), 0);
    for (std::size_t i = 0; i < static_cast<std::size_t>(tile.q); ++i) {
      words[i / 32] |= bit(0, i) << i % 32;
    }
    return words;
  }
  const int blocks = shape.order.blocks();
  std::vector<std::uint32_t> words(static_cast<std::size_t>(tile_words(shape.tile_rows, blocks)),
                                   0);
  for (int r = 0; r < shape.tile_rows; ++r) {
    each_input(shape.order, [&](std::size_t from, int to) {
      const BitPlace place = bit_place(r, to, blocks);
      words[static_cast<std::size_t>(place.word)] |= bit(r, from) << place.bit;
    });
  }
  return words;
}

// [n][inputs] of the activations' type, zero where nothing is.
Buffer pack_floats(const LayerShape& shape, Precision precision, std::span<const float> file) {
  return with_type(precision, [&]<class T>(T*) {
    const auto inputs = static_cast<std::size_t>(shape.order.inputs());
    const auto stored = static_cast<std::size_t>(shape.order.taps * shape.order.channels);
    std::vector<T> rows(static_cast<std::size_t>(shape.outputs) * inputs, T(0.0f));
    for (std::size_t r = 0; r < static_cast<std::size_t>(shape.outputs); ++r) {
      each_input(shape.order, [&](std::size_t from, int to) {
        rows[r * inputs + static_cast<std::size_t>(to)] = T(file[r * stored + from]);
      });
    }
    return Buffer::copy_of(std::span<const T>(rows), "the weights");
  });
}

}  // namespace

struct LayerRunner::Impl {
  Context& context;
  Precision precision;
  std::string name;
  LayerShape shape;
  Buffer bits, weights, gain, bias;

  void take_tile(const Graph& graph, const TensorMap& tensors, const Node& node) {
    const TileLayout tile = tile_layout_of(graph, node);
    if (tile.form == TileForm::kRows) {
      shape.tile_rows = number(tile.rows());
      shape.interleaved = tile.order == TileOrder::kInterleave;
    } else {
      const auto scalars = tensors.at(node.name + ".alpha").values<float>();
      if (scope_of(tile, scalars.size()) == AlphaScope::kOutput) {
        shape.form = WeightForm::kFloat;
        weights = pack_floats(shape, precision, reference::make_weights(graph, tensors, node));
        return;
      }
      shape.form = WeightForm::kFlat;
      shape.flat_bits = number(tile.q);
      shape.flat_scalars = number(static_cast<std::int64_t>(scalars.size()));
      weights = Buffer::copy_of(scalars, "the weights");
    }
    const std::vector<std::uint32_t> words =
        pack_bits(shape, tile, tensors.at(node.name + ".tile").values<std::uint8_t>());
    bits = Buffer::copy_of(std::span<const std::uint32_t>(words), "the weights");
  }
};

LayerRunner::LayerRunner(const Graph& graph, const TensorMap& tensors, const Node& node,
                         const LayerOptions& options, Context& context) {
  const reference::Layer layer = reference::make_outputs(graph, tensors, node);
  impl_ = std::make_unique<Impl>(
      Impl{context, options.precision, node.name, shape_of(graph, node, layer), {}, {}, {}, {}});
  if (is_float(node)) {
    impl_->shape.form = WeightForm::kFloat;
    impl_->weights = pack_floats(impl_->shape, options.precision,
                                 tensors.at(node.name + ".weight").values<float>());
  } else {
    impl_->take_tile(graph, tensors, node);
  }
  impl_->gain = Buffer::copy_of(std::span<const float>(layer.gain), "the weights");
  impl_->bias = Buffer::copy_of(std::span<const float>(layer.bias), "the weights");
}

LayerRunner::~LayerRunner() = default;
LayerRunner::LayerRunner(LayerRunner&&) noexcept = default;

void LayerRunner::prepare(std::int64_t) {}

std::int64_t LayerRunner::workspace_bytes(std::int64_t) const { return 0; }

void LayerRunner::run(const Call& call) const {
  LayerTask task = {.shape = impl_->shape,
                    .data = {.x = call.inputs[0],
                             .residual = impl_->shape.residual ? call.inputs[1] : nullptr,
                             .y = call.output,
                             .bits = impl_->bits.get<std::uint32_t>(),
                             .weights = impl_->weights.get(),
                             .gain = impl_->gain.get<float>(),
                             .bias = impl_->bias.get<float>()},
                    .precision = impl_->precision,
                    .workspace = call.workspace,
                    .stream = call.stream};
  task.shape.batch *= number(call.batch);
  layer_kernels().front().run(task, impl_->context);
}

CudaKernelChoice LayerRunner::choice(std::int64_t) const { return {impl_->name, "plain", 0}; }

std::int64_t LayerRunner::weight_bytes() const {
  return impl_->bits.bytes() + impl_->weights.bytes() + impl_->gain.bytes() + impl_->bias.bytes();
}

}  // namespace tbn::cuda
