// A matrix of bits times one to four vectors, a block for 16 rows of the tile.
#include <algorithm>

#include "runtime/cuda/device/launch.h"
#include "runtime/cuda/device/precision.h"
#include "runtime/cuda/kernels/gemv_rows.h"
#include "runtime/cuda/kernels/layer_kernels.h"

namespace tbn::cuda {
namespace {

template <class T, int kVectors, bool kEven>
__global__ void __launch_bounds__(kWarp* kMostGemvWarps) gemv(LayerShape shape, LayerData data) {
  gemv_rows<T, kVectors, kEven, Loads::kCached>(shape, data, blockIdx.x);
}

template <class T, int kVectors, bool kEven>
void run(const LayerTask& task) {
  const LayerShape& shape = task.shape;
  const int warps = std::clamp(shape.order.blocks(), 1, kMostGemvWarps);
  const Grid grid = {.blocks = static_cast<unsigned>((shape.rows + kBlockRows - 1) / kBlockRows),
                     .threads = static_cast<unsigned>(warps * kWarp),
                     .shared_bytes = gemv_shared_bytes(warps, kVectors)};
  launch("gemv", gemv<T, kVectors, kEven>, grid, task.stream, shape, task.data);
}

}  // namespace

bool gemv_computes(const LayerShape& shape, Precision, const Context&) {
  return shape.form == WeightForm::kTile && shape.is_linear() && shape.pixels() <= kMostVectors;
}

void run_gemv(const LayerTask& task, Context&) {
  with_type(task.precision, [&]<class T>(T*) {
    if (task.shape.channels % 2 != 0) return run<T, kMostVectors, false>(task);
    if (task.shape.pixels() == 1) return run<T, 1, true>(task);
    if (task.shape.pixels() == 2) return run<T, 2, true>(task);
    return run<T, kMostVectors, true>(task);
  });
}

}  // namespace tbn::cuda
