// One layer, twice.
#include "cuda/support/layer_check.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "cuda/support/to_host.h"
#include "runtime/cuda/device/context.h"
#include "runtime/cuda/device/memory.h"
#include "runtime/cuda/device/precision.h"
#include "support/random_model.h"
#include "tbn/ops.h"

namespace tbn::cuda::test {
namespace {

using tbn::test::random_values;

const LayerKernel& kernel_of(const std::string& name) {
  for (const LayerKernel& kernel : layer_kernels()) {
    if (kernel.name == name) return kernel;
  }
  throw std::runtime_error("no layer kernel is called " + name);
}

template <class T>
T round_to(float x) {
  if constexpr (std::is_same_v<T, float>) return x;
  if constexpr (std::is_same_v<T, __half>) return __float2half(x);
  if constexpr (std::is_same_v<T, __nv_bfloat16>) return __float2bfloat16(x);
}
double widen(float x) { return static_cast<double>(x); }
double widen(__half x) { return static_cast<double>(__half2float(x)); }
double widen(__nv_bfloat16 x) { return static_cast<double>(__bfloat162float(x)); }

double activation(int kind, double x) {
  switch (static_cast<ActivationKind>(kind)) {
    case ActivationKind::kNone:
      return x;
    case ActivationKind::kRelu:
      return std::max(x, 0.0);
    case ActivationKind::kGelu:
      return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case ActivationKind::kSilu:
      return x / (1 + std::exp(-x));
    case ActivationKind::kTanh:
      return std::tanh(x);
    case ActivationKind::kSigmoid:
      return 1 / (1 + std::exp(-x));
  }
  throw std::runtime_error("not an activation");
}

// Everything that one layer reads, on the host.
template <class T>
struct Layer {
  LayerShape shape;
  std::vector<T> x, residual, weights;
  std::vector<std::uint32_t> bits;
  std::vector<float> scalars, gain, bias;

  explicit Layer(const LayerShape& given) : shape(given) {
    const auto& order = shape.order;
    const std::int64_t pixels_in = std::int64_t{shape.batch} * shape.in_h * shape.in_w;
    x = rounded(pixels_in * shape.channels, 1);
    residual = rounded(shape.pixels() * shape.outputs, 2);
    gain = random_values(shape.outputs, 3, -1.5, 1.5);
    bias = random_values(shape.outputs, 4);
    const std::int64_t words = shape.form == WeightForm::kTile
                                   ? tile_words(shape.tile_rows, order.blocks())
                                   : (shape.flat_bits + 31) / 32;
    // Bits that are no weights are as random as the others.
    for (const float value : random_values(4 * words, 5, 0, 256)) {
      if (bits.empty() || count_++ % 4 == 0) bits.push_back(0);
      bits.back() = bits.back() << 8 | static_cast<std::uint32_t>(value);
    }
    bits.resize(static_cast<std::size_t>(words));
    scalars = random_values(std::max(1, shape.flat_scalars), 6, -1, 1);
    weights = rounded(std::int64_t{shape.rows} * order.inputs(), 7);
  }

  // Row r's weight, written apart from the kernels.
  double weight(int r, int tap, int channel) const {
    const auto& order = shape.order;
    if (shape.form == WeightForm::kFloat) {
      return widen(weights[static_cast<std::size_t>(std::int64_t{r} * order.inputs() +
                                                    tap * order.tap_inputs + channel)]);
    }
    if (shape.form == WeightForm::kFlat) {
      const std::int64_t i = (std::int64_t{r} * order.channels + channel) * order.taps + tap;
      const double scalar =
          scalars[shape.flat_scalars == 1 ? 0 : static_cast<std::size_t>(i / shape.flat_bits)];
      return bit(i % shape.flat_bits / 32, static_cast<int>(i % shape.flat_bits % 32)) ? scalar
                                                                                       : -scalar;
    }
    const BitPlace place =
        bit_place(shape.tile_row(r), tap * order.tap_inputs + channel, order.blocks());
    return bit(place.word, place.bit) ? 1 : -1;
  }

  double output(std::int64_t m, int c) const {
    const int copy_rows = shape.copy_step == 1 ? shape.copies() : 1;
    const int r = shape.copy_step == 1 ? c / copy_rows : c % shape.rows;
    const int group = r / (shape.rows / shape.groups);
    const auto out_x = static_cast<int>(m % shape.out_w);
    const auto out_y = static_cast<int>(m / shape.out_w % shape.out_h);
    const auto image = static_cast<int>(m / shape.out_w / shape.out_h);
    double sum = 0;
    for (int h = 0; h < shape.kernel_h; ++h) {
      for (int w = 0; w < shape.kernel_w; ++w) {
        const int y = out_y * shape.stride_h - shape.padding_h + h;
        const int z = out_x * shape.stride_w - shape.padding_w + w;
        if (y < 0 || z < 0 || y >= shape.in_h || z >= shape.in_w) continue;
        const std::int64_t begin =
            ((std::int64_t{image} * shape.in_h + y) * shape.in_w + z) * shape.channels;
        for (int i = 0; i < shape.order.channels; ++i) {
          sum += weight(r, h * shape.kernel_w + w, i) *
                 widen(x[static_cast<std::size_t>(begin + group * shape.order.channels + i)]);
        }
      }
    }
    const auto at = static_cast<std::size_t>(m * shape.outputs + c);
    double value = sum * gain[static_cast<std::size_t>(c)] + bias[static_cast<std::size_t>(c)];
    if (shape.residual) value += widen(residual[at]);
    return activation(shape.activation, value);
  }

 private:
  static std::vector<T> rounded(std::int64_t count, std::uint64_t seed) {
    std::vector<T> values;
    for (const float value : random_values(count, seed, -1, 1))
      values.push_back(round_to<T>(value));
    return values;
  }
  bool bit(std::int64_t word, int place) const {
    return (bits[static_cast<std::size_t>(word)] >> place & 1u) != 0;
  }
  std::int64_t count_ = 0;
};

template <class T>
std::vector<T> run(const LayerKernel& kernel, const Layer<T>& layer, Precision precision) {
  Context context(0);
  const auto on_device = [](const auto& values) {
    return Buffer::copy_of(std::span(values.data(), values.size()), "a test");
  };
  const Buffer x = on_device(layer.x), bits = on_device(layer.bits), gain = on_device(layer.gain);
  const Buffer bias = on_device(layer.bias), scalars = on_device(layer.scalars);
  const Buffer weights = on_device(layer.weights), residual = on_device(layer.residual);
  const auto bytes = static_cast<std::int64_t>(layer.residual.size() * sizeof(T));
  const Buffer y = Buffer::on_device(bytes, "a test");
  const Buffer workspace = Buffer::on_device(
      kCounterBytes + kernel.workspace_bytes(layer.shape, precision, context), "a test");
  cudaMemset(workspace.get(), 0xff, static_cast<std::size_t>(workspace.bytes()));
  cudaMemset(workspace.get(), 0, static_cast<std::size_t>(kCounterBytes));
  const bool flat = layer.shape.form == WeightForm::kFlat;
  const LayerTask task = {.shape = layer.shape,
                          .data = {.x = x.get(),
                                   .residual = layer.shape.residual ? residual.get() : nullptr,
                                   .y = y.get(),
                                   .bits = bits.get<std::uint32_t>(),
                                   .weights = flat ? scalars.get() : weights.get(),
                                   .gain = gain.get<float>(),
                                   .bias = bias.get<float>()},
                          .precision = precision,
                          .workspace = workspace.get(),
                          .stream = nullptr};
  kernel.run(task, context);
  const std::vector<std::uint32_t> counters = to_host<std::uint32_t>(workspace);
  for (std::size_t i = 0; i < kCounterBytes / 4; ++i) {
    if (counters[i] != 0) throw std::runtime_error("a counter of the workspace is not zero again");
  }
  return to_host<T>(y);
}

}  // namespace

LayerShape linear_shape(int pixels, int inputs, int rows, int copies) {
  LayerShape shape;
  shape.batch = pixels;
  shape.channels = inputs;
  shape.outputs = rows * copies;
  shape.order = InputOrder::of(1, inputs);
  shape.rows = shape.tile_rows = rows;
  shape.copy_step = rows;
  return shape;
}

LayerShape conv_shape(int batch, int channels, int height, int width, int rows, int copies,
                      int kernel, int stride) {
  LayerShape shape = linear_shape(batch, channels, rows, copies);
  const int padding = (kernel - 1) / 2;
  shape.in_h = height;
  shape.in_w = width;
  shape.kernel_h = shape.kernel_w = kernel;
  shape.stride_h = shape.stride_w = stride;
  shape.padding_h = shape.padding_w = padding;
  shape.out_h = (height + 2 * padding - kernel) / stride + 1;
  shape.out_w = (width + 2 * padding - kernel) / stride + 1;
  shape.order = InputOrder::of(kernel * kernel, channels);
  return shape;
}

LayerShape interleaved(LayerShape shape) {
  shape.row_step = shape.copies();
  shape.copy_step = 1;
  return shape;
}

LayerShape in_form(LayerShape shape, WeightForm form) {
  shape.form = form;
  if (form == WeightForm::kTile) return shape;
  // Neither form has copies.
  shape.rows = shape.tile_rows = shape.outputs;
  shape.copy_step = shape.outputs;
  if (form == WeightForm::kFlat) {
    const int weights = shape.outputs * shape.order.taps * shape.order.channels;
    shape.flat_scalars = weights % 3 == 0 ? 3 : 2;
    shape.flat_bits = (weights + shape.flat_scalars - 1) / shape.flat_scalars;
  }
  return shape;
}

double layer_error(const std::string& name, const LayerShape& shape, Precision precision) {
  return with_type(precision, [&]<class T>(T*) {
    const Layer<T> layer(shape);
    const std::vector<T> result = run(kernel_of(name), layer, precision);
    double difference = 0, size = 0;
    for (std::int64_t m = 0; m < shape.pixels(); ++m) {
      for (int c = 0; c < shape.outputs; ++c) {
        const double wanted = layer.output(m, c);
        const double got = widen(result[static_cast<std::size_t>(m * shape.outputs + c)]);
        difference += (got - wanted) * (got - wanted);
        size += wanted * wanted;
      }
    }
    return std::sqrt(difference / size);
  });
}

double allowed_error(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return 2e-6;
    case Precision::kFp16:
      return 4e-4;
    case Precision::kBf16:
      return 3e-3;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

bool computes(const std::string& name, const LayerShape& shape, Precision precision) {
  const Context context(0);
  return kernel_of(name).computes(shape, precision, context);
}

}  // namespace tbn::cuda::test
