// Ops that treat each value by itself, or by its channel: normalize, affine, sums, differences,
// products, copies. All may write over their input.
#include <algorithm>
#include <vector>

#include "runtime/cpu/reference/activation.h"
#include "runtime/cpu/reference/kernel.h"

namespace tbn::reference {

namespace {

// output[i] = f(input[i], c) with c the channel of position i: the first dimension of an image, the
// last of other shapes.
template <class F>
void each_channel(const Shape& shape, const float* input, float* output, F f) {
  const std::int64_t channels = shape[channel_axis(shape)];
  const std::int64_t others = channels == 0 ? 0 : element_count(shape) / channels;
  if (channel_axis(shape) == 0 && others > 1) {
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t i = c * others; i < (c + 1) * others; ++i) {
        output[i] = f(input[i], static_cast<std::size_t>(c));
      }
    }
  } else {
    for (std::int64_t i = 0; i < others; ++i) {
      for (std::int64_t c = 0; c < channels; ++c) {
        output[i * channels + c] = f(input[i * channels + c], static_cast<std::size_t>(c));
      }
    }
  }
}

}  // namespace

Kernel make_normalize(const Normalize& op, const Shape& shape) {
  return {.run = [op, shape](const Buffers& b) {
    each_channel(shape, b.inputs[0], b.output,
                 [&](float x, std::size_t c) { return (x - op.mean[c]) / op.std[c]; });
  }};
}

Kernel make_affine(const Affine& op, std::span<const float> scale, std::span<const float> bias,
                   const Shape& shape) {
  return {.run = [op, shape, scale = std::vector<float>(scale.begin(), scale.end()),
                  bias = std::vector<float>(bias.begin(), bias.end())](const Buffers& b) {
    each_channel(shape, b.inputs[0], b.output,
                 [&](float x, std::size_t c) { return scale[c] * x + bias[c]; });
    apply_activation(op.activation, b.output, element_count(shape));
  }};
}

Kernel make_add(const Add& op, const Shape& shape) {
  const std::int64_t count = element_count(shape);
  return {.run = [=](const Buffers& b) {
    for (std::int64_t i = 0; i < count; ++i) b.output[i] = b.inputs[0][i] + b.inputs[1][i];
    apply_activation(op.activation, b.output, count);
  }};
}

Kernel make_subtract(const Shape& shape) {
  const std::int64_t count = element_count(shape);
  return {.run = [=](const Buffers& b) {
    for (std::int64_t i = 0; i < count; ++i) b.output[i] = b.inputs[0][i] - b.inputs[1][i];
  }};
}

Kernel make_multiply(const Shape& shape) {
  const std::int64_t count = element_count(shape);
  return {.run = [=](const Buffers& b) {
    for (std::int64_t i = 0; i < count; ++i) b.output[i] = b.inputs[0][i] * b.inputs[1][i];
  }};
}

Kernel make_copy(const Shape& shape) {
  const std::int64_t count = element_count(shape);
  return {.run = [=](const Buffers& b) {
    if (b.output != b.inputs[0]) std::copy_n(b.inputs[0], count, b.output);
  }};
}

}  // namespace tbn::reference
