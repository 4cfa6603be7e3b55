// Ops that treat each value, or each row of channels, by itself; and the two orders of an image.
#include <algorithm>
#include <vector>

#include "runtime/cpu/fast/kernel.h"

namespace tbn::fast {

void to_channels_first(const Isa& isa, const Shape& shape, const float* x, float* y) {
  const std::int64_t channels = shape[0], pixels = shape[1] * shape[2];
  isa.floats->transpose(x, pixels, channels, channels, y, pixels);
}

void to_channels_last(const Isa& isa, const Shape& shape, const float* x, float* y) {
  const std::int64_t channels = shape[0], pixels = shape[1] * shape[2];
  isa.floats->transpose(x, channels, pixels, pixels, y, channels);
}

Kernel make_transpose(const Isa& isa, const Shape& input) {
  const std::int64_t columns = input.back();
  const std::int64_t rows = input[input.size() - 2];
  const std::int64_t matrices = element_count(input) / std::max<std::int64_t>(1, rows * columns);
  return in_floats([=, ops = isa.floats](const Buffers& b) {
    for (std::int64_t i = 0; i < matrices; ++i) {
      const std::int64_t first = i * rows * columns;
      ops->transpose(b.inputs[0] + first, rows, columns, columns, b.output + first, rows);
    }
  });
}

Kernel make_pad2d(const Pad2d& op, const Shape& input, const Shape& output) {
  const std::int64_t row = input[2] * input[0], output_row = output[2] * output[0];
  return in_floats([=, first = op.top * output_row + op.left * output[0]](const Buffers& b) {
    std::fill_n(b.output, output[1] * output_row, 0.0f);
    for (std::int64_t i = 0; i < input[1]; ++i) {
      std::copy_n(b.inputs[0] + i * row, row, b.output + first + i * output_row);
    }
  });
}

Kernel make_affine(const Isa& isa, const Affine& op, std::span<const float> scale,
                   std::span<const float> bias, std::int64_t pixels) {
  return in_floats([ops = isa.floats, op, pixels, scale = std::vector(scale.begin(), scale.end()),
                    bias = std::vector(bias.begin(), bias.end())](const Buffers& b) {
    const auto channels = static_cast<std::int64_t>(scale.size());
    for (std::int64_t i = 0; i < pixels; ++i) {
      ops->affine(scale.data(), bias.data(), static_cast<int>(op.activation),
                  b.inputs[0] + i * channels, b.output + i * channels, channels);
    }
  });
}

Kernel make_identity(std::int64_t count) {
  return {.run =
              [=](const Buffers& b) {
                if (b.output != b.inputs[0]) std::copy_n(b.inputs[0], count, b.output);
              },
          .name = "fused"};
}

Kernel make_activation(const Isa& isa, ActivationKind kind, std::int64_t count) {
  return in_floats([=, ops = isa.floats](const Buffers& b) {
    if (b.output != b.inputs[0]) std::copy_n(b.inputs[0], count, b.output);
    ops->activate(static_cast<int>(kind), b.output, count);
  });
}

Kernel make_add(const Isa& isa, ActivationKind activation, std::int64_t count) {
  return in_floats([=, ops = isa.floats](const Buffers& b) {
    ops->add(b.inputs[0], b.inputs[1], b.output, count);
    ops->activate(static_cast<int>(activation), b.output, count);
  });
}

Kernel make_layer_norm(const Isa& isa, const LayerNorm& op, std::span<const float> weight,
                       std::span<const float> bias, const Shape& shape) {
  const std::int64_t width = shape.back();
  const std::int64_t rows = element_count(shape) / width;
  return in_floats([=, ops = isa.floats, weight = std::vector(weight.begin(), weight.end()),
                    bias = std::vector(bias.begin(), bias.end())](const Buffers& b) {
    for (std::int64_t i = 0; i < rows; ++i) {
      ops->layer_norm(weight.data(), bias.data(), op.eps, b.inputs[0] + i * width,
                      b.output + i * width, width);
    }
  });
}

}  // namespace tbn::fast
