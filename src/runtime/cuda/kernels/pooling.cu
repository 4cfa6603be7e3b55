// Pooling over windows of images that lie channels last, and over all rows of a sequence or map.
#include <cmath>

#include "runtime/cuda/device/launch.h"
#include "runtime/cuda/device/precision.h"
#include "runtime/cuda/kernels/pack.h"
#include "runtime/cuda/step/ops.h"

namespace tbn::cuda {
namespace {

struct Windows {
  int in_h, in_w, out_h, out_w, channels;
  int kernel_h, kernel_w, stride_h, stride_w, padding_h, padding_w;
};

// What folds values into one; what is not a number stays one.
struct Largest {
  static __device__ float start() { return -INFINITY; }
  static __device__ float fold(float a, float x) { return x > a || x != x ? x : a; }
  static __device__ float finish(float a, float) { return a; }
};
struct Mean {
  static __device__ float start() { return 0; }
  static __device__ float fold(float a, float x) { return a + x; }
  static __device__ float finish(float a, float count) { return a / count; }
};

// A thread folds kSize neighbouring channels of a window.
template <class T, class Fold, int kSize>
__global__ void __launch_bounds__(256)
    pool_windows(const T* x, T* y, std::int64_t count, Windows w) {
  const int packs = w.channels / kSize;
  for (std::int64_t i = first_index(); i < count; i += index_step()) {
    const int c = static_cast<int>(i % packs) * kSize;
    const std::int64_t pixel = i / packs;
    const int left = static_cast<int>(pixel % w.out_w) * w.stride_w - w.padding_w;
    const int top = static_cast<int>(pixel / w.out_w % w.out_h) * w.stride_h - w.padding_h;
    const T* image = x + pixel / w.out_w / w.out_h * w.in_h * w.in_w * w.channels + c;
    float folded[kSize];
    for (int j = 0; j < kSize; ++j) folded[j] = Fold::start();
    for (int h = max(top, 0); h < min(top + w.kernel_h, w.in_h); ++h) {
      for (int v = max(left, 0); v < min(left + w.kernel_w, w.in_w); ++v) {
        const Pack<T, kSize> pack =
            load_pack<T, kSize>(image, (std::int64_t{h} * w.in_w + v) * w.channels);
        for (int j = 0; j < kSize; ++j) {
          folded[j] = Fold::fold(folded[j], to_float(pack.values[j]));
        }
      }
    }
    Pack<T, kSize> result;
    const auto area = static_cast<float>(std::int64_t{w.kernel_h} * w.kernel_w);
    for (int j = 0; j < kSize; ++j) {
      result.values[j] = from_float<T>(Fold::finish(folded[j], area));
    }
    store_pack(y, pixel * w.channels + c, result);
  }
}

template <class T, class Fold, int kSize>
void launch_windows(const Call& call, const Windows& w) {
  const std::int64_t count = call.batch * w.out_h * w.out_w * (w.channels / kSize);
  if (count == 0) return;
  launch("pool_windows", pool_windows<T, Fold, kSize>, grid_over(count), call.stream,
         static_cast<const T*>(call.inputs[0]), static_cast<T*>(call.output), count, w);
}

template <class Fold>
DeviceStep windows_step(const StepContext& context, const Shape& input, const Shape& output,
                        Size2 kernel, Size2 stride, Size2 padding) {
  const auto number = [](std::int64_t x) { return static_cast<int>(x); };
  const Windows w = {.in_h = number(input[1]),
                     .in_w = number(input[2]),
                     .out_h = number(output[1]),
                     .out_w = number(output[2]),
                     .channels = number(output[0]),
                     .kernel_h = number(kernel.h),
                     .kernel_w = number(kernel.w),
                     .stride_h = number(stride.h),
                     .stride_w = number(stride.w),
                     .padding_h = number(padding.h),
                     .padding_w = number(padding.w)};
  return {.run = [w, precision = context.precision](const Call& call) {
    with_type(precision, [&]<class T>(T*) {
      if (w.channels % kPackValues<T> == 0) {
        launch_windows<T, Fold, kPackValues<T>>(call, w);
      } else {
        launch_windows<T, Fold, 1>(call, w);
      }
    });
  }};
}

// y[b][c] of x[b][rows][columns]: a block folds 32 columns, each of its warps every eighth row.
template <class T, class Fold>
__global__ void __launch_bounds__(256)
    pool_rows(const T* x, T* y, std::int64_t batch, int rows, int columns) {
  constexpr int kWarps = 8;
  float* parts = shared_memory<float>();  // [kWarps][32]
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int groups = (columns + kWarp - 1) / kWarp;
  for (std::int64_t i = blockIdx.x; i < batch * groups; i += gridDim.x) {
    const int column = static_cast<int>(i % groups) * kWarp + lane;
    const std::int64_t image = i / groups;
    float folded = Fold::start();
    if (column < columns) {
      const T* first = x + image * rows * columns + column;
      for (int r = warp; r < rows; r += kWarps) {
        folded = Fold::fold(folded, to_float(first[std::int64_t{r} * columns]));
      }
    }
    parts[warp * kWarp + lane] = folded;
    __syncthreads();
    if (warp == 0 && column < columns) {
      for (int other = 1; other < kWarps; ++other) {
        folded = Fold::fold(folded, parts[other * kWarp + lane]);
      }
      y[image * columns + column] = from_float<T>(Fold::finish(folded, static_cast<float>(rows)));
    }
    __syncthreads();
  }
}

template <class Fold>
DeviceStep rows_step(const StepContext& context, std::int64_t rows, std::int64_t columns) {
  return {.run = [=, precision = context.precision](const Call& call) {
    const std::int64_t blocks = call.batch * ((columns + kWarp - 1) / kWarp);
    if (blocks == 0) return;
    Grid grid = grid_over(blocks * 256);
    grid.shared_bytes = 256 * sizeof(float);
    with_type(precision, [&]<class T>(T*) {
      launch("pool_rows", pool_rows<T, Fold>, grid, call.stream,
             static_cast<const T*>(call.inputs[0]), static_cast<T*>(call.output), call.batch,
             static_cast<int>(rows), static_cast<int>(columns));
    });
  }};
}

}  // namespace

DeviceStep make_max_pool(const StepContext& context, const MaxPool2d& op, const Shape& input,
                         const Shape& output) {
  return windows_step<Largest>(context, input, output, op.kernel, op.stride, op.padding);
}

DeviceStep make_avg_pool(const StepContext& context, const AvgPool2d& op, const Shape& input,
                         const Shape& output) {
  return windows_step<Mean>(context, input, output, op.kernel, op.stride, 0);
}

DeviceStep make_global_avg_pool(const StepContext& context, const Shape& input) {
  return rows_step<Mean>(context, input[1] * input[2], input[0]);
}

DeviceStep make_sequence_pool(const StepContext& context, const SequencePool& op,
                              const Shape& input) {
  return op.kind == PoolKind::kMax ? rows_step<Largest>(context, input[0], input[1])
                                   : rows_step<Mean>(context, input[0], input[1]);
}

}  // namespace tbn::cuda
