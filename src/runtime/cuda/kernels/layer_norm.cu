// y = (x - mean) / sqrt(var + eps) * weight + bias over the last dimension, one warp per row. The
// mean comes first and the squares after it: the difference of two large sums would have no digits
// left.
#include "runtime/cuda/device/launch.h"
#include "runtime/cuda/device/precision.h"
#include "runtime/cuda/kernels/pack.h"
#include "runtime/cuda/step/ops.h"

namespace tbn::cuda {
namespace {

constexpr int kRowsOfBlock = 8;

struct Norm {
  const float *weight, *bias;
  float eps;
  int width;
};

// f(x, column) for this lane's values of a row.
template <int kSize, class T, class F>
__device__ __forceinline__ void each_value(const T* row, int width, F f) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  for (int at = lane * kSize; at < width; at += kWarp * kSize) {
    const Pack<T, kSize> pack = load_pack<T, kSize>(row, at);
#pragma unroll
    for (int j = 0; j < kSize; ++j) f(to_float(pack.values[j]), at + j);
  }
}

template <class T, int kSize>
__global__ void __launch_bounds__(kRowsOfBlock* kWarp)
    layer_norm(const T* x, T* y, std::int64_t rows, Norm norm) {
  const std::int64_t warps = std::int64_t{gridDim.x} * kRowsOfBlock;
  for (std::int64_t r = first_index() / kWarp; r < rows; r += warps) {
    const T* row = x + r * norm.width;
    float sum = 0;
    each_value<kSize>(row, norm.width, [&](float value, int) { sum += value; });
    const float mean = warp_sum(sum) / static_cast<float>(norm.width);
    float squares = 0;
    each_value<kSize>(row, norm.width,
                      [&](float value, int) { squares += (value - mean) * (value - mean); });
    const float variance = warp_sum(squares) / static_cast<float>(norm.width);
    const float factor = 1.0f / sqrtf(variance + norm.eps);
    Pack<T, kSize> result;
    each_value<kSize>(row, norm.width, [&](float value, int column) {
      result.values[column % kSize] =
          from_float<T>((value - mean) * factor * norm.weight[column] + norm.bias[column]);
      if (column % kSize == kSize - 1) {
        store_pack(y, r * norm.width + column + 1 - kSize, result);
      }
    });
  }
}

template <class T, int kSize>
void launch_norm(const Call& call, std::int64_t rows, const Norm& norm) {
  launch("layer_norm", layer_norm<T, kSize>, grid_over(rows * kWarp), call.stream,
         static_cast<const T*>(call.inputs[0]), static_cast<T*>(call.output), rows, norm);
}

}  // namespace

DeviceStep make_layer_norm(const StepContext& context, const LayerNorm& op,
                           std::span<const float> weight, std::span<const float> bias,
                           const Shape& shape) {
  const Norm norm = {.weight = context.tables.keep(weight),
                     .bias = context.tables.keep(bias),
                     .eps = static_cast<float>(op.eps),
                     .width = static_cast<int>(shape.back())};
  const std::int64_t each = norm.width == 0 ? 0 : element_count(shape) / norm.width;
  return {.run = [=, precision = context.precision](const Call& call) {
    const std::int64_t rows = call.batch * each;
    if (rows == 0) return;
    with_type(precision, [&]<class T>(T*) {
      if (norm.width % kPackValues<T> == 0) {
        launch_norm<T, kPackValues<T>>(call, rows, norm);
      } else {
        launch_norm<T, 1>(call, rows, norm);
      }
    });
  }};
}

}  // namespace tbn::cuda
