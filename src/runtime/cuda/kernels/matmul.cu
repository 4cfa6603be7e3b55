// Products of two values of the network, [M, K] x [K, N] in each example: one thread per output.
#include "runtime/cuda/device/launch.h"
#include "runtime/cuda/device/precision.h"
#include "runtime/cuda/step/ops.h"

namespace tbn::cuda {
namespace {

template <class T>
__global__ void __launch_bounds__(256)
    matmul(const T* left, const T* right, T* y, std::int64_t batch, int rows, int terms,
           int columns) {
  const std::int64_t each = std::int64_t{rows} * columns;
  for (std::int64_t i = first_index(); i < batch * each; i += index_step()) {
    const std::int64_t example = i / each;
    const auto inside = static_cast<int>(i - example * each);
    const T* a = left + (example * rows + inside / columns) * terms;
    const T* b = right + example * terms * columns + inside % columns;
    float sum = 0;
    for (int k = 0; k < terms; ++k) sum += to_float(a[k]) * to_float(b[std::int64_t{k} * columns]);
    y[i] = from_float<T>(sum);
  }
}

}  // namespace

DeviceStep make_matmul(const StepContext& context, const Shape& left, const Shape& right) {
  return {.run = [precision = context.precision, rows = static_cast<int>(left[0]),
                  terms = static_cast<int>(left[1]),
                  columns = static_cast<int>(right[1])](const Call& call) {
    const std::int64_t values = call.batch * rows * columns;
    if (values == 0) return;
    with_type(precision, [&]<class T>(T*) {
      launch("matmul", matmul<T>, grid_over(values), call.stream,
             static_cast<const T*>(call.inputs[0]), static_cast<const T*>(call.inputs[1]),
             static_cast<T*>(call.output), call.batch, rows, terms, columns);
    });
  }};
}

}  // namespace tbn::cuda
