// The second rung: the tile is expanded to values of the activations' type in the workspace,
// cuBLASLt multiplies its R rows, and a kernel fans the sums out to the p copies. Convolutions are
// laid out as matrices first, a part of the pixels at a time. Layers with float weights go this way
// without the expansion. Workspace: weights, inputs, sums, cuBLASLt's own.
#include <algorithm>

#include "runtime/cuda/device/launch.h"
#include "runtime/cuda/device/matrix_library.h"
#include "runtime/cuda/device/precision.h"
#include "runtime/cuda/kernels/layer_kernels.h"
#include "runtime/cuda/layer/epilogue.h"
#include "runtime/cuda/layer/weights.h"

namespace tbn::cuda {
namespace {

constexpr std::int64_t kLibraryBytes = std::int64_t{4} << 20;
constexpr std::int64_t kPartBytes = std::int64_t{64} << 20;  // of inputs laid out as a matrix

std::int64_t aligned(std::int64_t bytes) { return (bytes + 255) / 256 * 256; }

// How a layer becomes matrices: rows of `stride` inputs of which the last may be zeros.
struct Matrices {
  int stride;         // of laid-out inputs and expanded weights
  bool laid_out;      // x is not a matrix yet
  std::int64_t part;  // pixels at a time
  std::int64_t parts;

  explicit Matrices(const LayerShape& shape, Precision precision) {
    laid_out = !shape.is_linear();
    const int inputs = shape.order.taps * shape.order.channels;
    stride = laid_out ? (inputs + 7) / 8 * 8 : inputs;
    const std::int64_t row_bytes =
        laid_out ? stride * value_bytes(precision) : std::int64_t{shape.rows} * 4;
    part = std::clamp<std::int64_t>(kPartBytes / row_bytes, 1, shape.pixels());
    parts = (shape.pixels() + part - 1) / part;
  }
  std::int64_t weight_bytes(const LayerShape& shape, Precision precision) const {
    return aligned(std::int64_t{shape.rows} * stride * value_bytes(precision));
  }
  std::int64_t input_bytes(Precision precision) const {
    return laid_out ? aligned(part * stride * value_bytes(precision)) : 0;
  }
  std::int64_t sum_bytes(const LayerShape& shape) const {
    return aligned(part * shape.rows * static_cast<std::int64_t>(sizeof(float)));
  }
};

// w[r][tap * channels + c], whatever the form.
template <class T>
__global__ void __launch_bounds__(256)
    expand_weights(LayerShape shape, LayerData data, int stride, T* w) {
  const std::int64_t count = std::int64_t{shape.rows} * stride;
  for (std::int64_t i = first_index(); i < count; i += index_step()) {
    const auto r = static_cast<int>(i / stride), k = static_cast<int>(i % stride);
    const int tap = k / shape.order.channels, c = k % shape.order.channels;
    w[i] = from_float<T>(tap < shape.order.taps ? weight_at<T>(shape, data, r, tap, c) : 0.0f);
  }
}

// x[m - first][tap * channels + c] = the input that pixel m meets there, or 0 in the padding.
template <class T>
__global__ void __launch_bounds__(256)
    lay_out_inputs(LayerShape shape, LayerData data, std::int64_t first, std::int64_t count,
                   int stride, T* x) {
  const auto* from = static_cast<const T*>(data.x);
  for (std::int64_t i = first_index(); i < count * stride; i += index_step()) {
    const auto k = static_cast<int>(i % stride);
    const int tap = k / shape.order.channels, c = k % shape.order.channels;
    std::int64_t begin = -1;
    if (tap < shape.order.taps) begin = tap_begin(shape, pixel_at(shape, first + i / stride), tap);
    x[i] = begin < 0 ? from_float<T>(0.0f) : from[begin + c];
  }
}

// The outputs of pixels first .. first + count - 1 from their sums u [count][rows].
template <class T>
__global__ void __launch_bounds__(256) fan_out(LayerShape shape, LayerData data, std::int64_t first,
                                               std::int64_t count, const float* u) {
  for (std::int64_t i = first_index(); i < count * shape.outputs; i += index_step()) {
    const std::int64_t m = i / shape.outputs;
    const auto c = static_cast<int>(i % shape.outputs);
    const int r = shape.copy_step == 1 ? c / shape.copies() : c % shape.rows;
    finish_output<T>(shape, data, first + m, c, u[m * shape.rows + r]);
  }
}

template <class T>
void run(const LayerTask& task, MatrixLibrary& library) {
  const LayerShape& shape = task.shape;
  const Matrices m(shape, task.precision);
  auto* memory = static_cast<char*>(task.workspace) + kCounterBytes;
  auto* w = reinterpret_cast<T*>(memory);
  auto* x = reinterpret_cast<T*>(memory += m.weight_bytes(shape, task.precision));
  auto* u = reinterpret_cast<float*>(memory += m.input_bytes(task.precision));
  memory += m.sum_bytes(shape);
  // Float weights lie as a matrix already, where no tap is padded.
  const bool as_stored = shape.form == WeightForm::kFloat && m.stride == shape.order.inputs() &&
                         shape.order.tap_inputs == shape.order.channels;
  if (!as_stored) {
    launch("expand_weights", expand_weights<T>, grid_over(std::int64_t{shape.rows} * m.stride),
           task.stream, shape, task.data, m.stride, w);
  }
  for (std::int64_t first = 0; first < shape.pixels(); first += m.part) {
    const std::int64_t count = std::min(m.part, shape.pixels() - first);
    if (m.laid_out) {
      launch("lay_out_inputs", lay_out_inputs<T>, grid_over(count * m.stride), task.stream, shape,
             task.data, first, count, m.stride, x);
    }
    library.multiply(
        {.rows = shape.rows,
         .pixels = count,
         .inputs = m.stride,
         .w_stride = m.stride,
         .x_stride = m.stride,
         .precision = task.precision},
        {.w = as_stored ? task.data.weights : w,
         .x = m.laid_out ? x : static_cast<const T*>(task.data.x) + first * shape.channels,
         .u = u,
         .workspace = memory,
         .workspace_bytes = kLibraryBytes},
        task.stream);
    launch("fan_out", fan_out<T>, grid_over(count * shape.outputs), task.stream, shape, task.data,
           first, count, u);
  }
}

}  // namespace

bool expand_computes(const LayerShape& shape, Precision, const Context& context) {
  return shape.groups == 1 && context.matrices() != nullptr;
}

std::int64_t expand_workspace(const LayerShape& shape, Precision precision, const Context&) {
  const Matrices m(shape, precision);
  return m.weight_bytes(shape, precision) + m.input_bytes(precision) + m.sum_bytes(shape) +
         kLibraryBytes;
}

void run_expand(const LayerTask& task, Context& context) {
  with_type(task.precision, [&]<class T>(T*) { run<T>(task, *context.matrices()); });
}

}  // namespace tbn::cuda
