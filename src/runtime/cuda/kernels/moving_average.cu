// The trend of a series [T, C]: the mean of neighbouring rows, of which the first and the last
// stand for those beyond the ends.
#include "runtime/cuda/device/launch.h"
#include "runtime/cuda/device/precision.h"
#include "runtime/cuda/step/ops.h"

namespace tbn::cuda {
namespace {

struct Trend {
  int rows, columns;
  std::int64_t half;  // the kernel has 2 half + 1 rows
};

template <class T>
__global__ void __launch_bounds__(256)
    moving_average(const T* x, T* y, std::int64_t count, Trend trend) {
  for (std::int64_t i = first_index(); i < count; i += index_step()) {
    const std::int64_t row = i / trend.columns;
    const std::int64_t t = row % trend.rows, last = trend.rows - 1;
    const T* column = x + (row - t) * trend.columns + i % trend.columns;
    const auto value = [&](std::int64_t k) { return to_float(column[k * trend.columns]); };
    float sum = 0;
    // An infinite value times 0 would not be 0.
    if (trend.half > t) sum += static_cast<float>(trend.half - t) * value(0);
    if (t + trend.half > last) sum += static_cast<float>(t + trend.half - last) * value(last);
    const std::int64_t first = t > trend.half ? t - trend.half : 0;
    const std::int64_t end = t + trend.half < last ? t + trend.half : last;
    for (std::int64_t k = first; k <= end; ++k) sum += value(k);
    y[i] = from_float<T>(sum / static_cast<float>(2 * trend.half + 1));
  }
}

}  // namespace

DeviceStep make_moving_average(const StepContext& context, const MovingAverage& op,
                               const Shape& shape) {
  const Trend trend = {static_cast<int>(shape[0]), static_cast<int>(shape[1]), op.kernel / 2};
  return {
      .run = [trend, precision = context.precision, each = element_count(shape)](const Call& call) {
        const std::int64_t count = call.batch * each;
        if (count == 0) return;
        with_type(precision, [&]<class T>(T*) {
          launch("moving_average", moving_average<T>, grid_over(count), call.stream,
                 static_cast<const T*>(call.inputs[0]), static_cast<T*>(call.output), count, trend);
        });
      }};
}

}  // namespace tbn::cuda
