// The first rung: one thread per sum, one weight after another. It computes every layer, and is
// what the other rungs are checked against.
#include "runtime/cuda/device/launch.h"
#include "runtime/cuda/device/precision.h"
#include "runtime/cuda/kernels/layer_kernels.h"
#include "runtime/cuda/layer/epilogue.h"
#include "runtime/cuda/layer/weights.h"

namespace tbn::cuda {
namespace {

template <class T>
__device__ float window_sum(const LayerShape& shape, const LayerData& data, std::int64_t m, int r) {
  const Pixel pixel = pixel_at(shape, m);
  const int group = r / (shape.rows / shape.groups);
  const auto* x = static_cast<const T*>(data.x) + group * shape.order.channels;
  float sum = 0;
  for (int tap = 0; tap < shape.order.taps; ++tap) {
    const std::int64_t begin = tap_begin(shape, pixel, tap);
    if (begin < 0) continue;
    for (int c = 0; c < shape.order.channels; ++c) {
      sum += weight_at<T>(shape, data, r, tap, c) * to_float(x[begin + c]);
    }
  }
  return sum;
}

template <class T>
__global__ void __launch_bounds__(256) plain_layer(LayerShape shape, LayerData data) {
  const std::int64_t sums = shape.pixels() * shape.rows;
  for (std::int64_t i = first_index(); i < sums; i += index_step()) {
    const std::int64_t m = i / shape.rows;
    const auto r = static_cast<int>(i % shape.rows);
    finish_row<T>(shape, data, m, r, window_sum<T>(shape, data, m, r));
  }
}

}  // namespace

void run_plain(const LayerTask& task, Context&) {
  with_type(task.precision, [&]<class T>(T*) {
    launch("plain_layer", plain_layer<T>, grid_over(task.shape.pixels() * task.shape.rows),
           task.stream, task.shape, task.data);
  });
}

}  // namespace tbn::cuda
