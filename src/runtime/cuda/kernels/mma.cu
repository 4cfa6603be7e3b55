// The rung of the tensor cores of every device since compute capability 8.0: rows of bits become
// operands in registers, x comes through shared memory in several stages, and the blocks of a tile
// may share its inputs. See mma_plan.h for how a layer is cut.
#include <array>
#include <utility>

#include "runtime/cuda/device/launch.h"
#include "runtime/cuda/kernels/layer_kernels.h"
#include "runtime/cuda/kernels/mma_finish.h"
#include "runtime/cuda/kernels/mma_plan.h"
#include "runtime/cuda/kernels/mma_tile.h"
#include "tbn/error.h"

namespace tbn::cuda {
namespace {

using namespace mma;

// The place of a warp in its block.
struct WarpPlace {
  int row_warp, pixel_warp, group;
};
template <int kIndex>
__device__ __forceinline__ WarpPlace warp_place() {
  constexpr MmaTile kTile = kMmaTiles[kIndex];
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  return {warp % kTile.row_warps, warp / kTile.row_warps % kTile.pixel_warps,
          warp / (kTile.row_warps * kTile.pixel_warps)};
}

// The sums of a block's tile over its part of the inputs, 256 at a time and group.
template <class T, int kIndex, bool kWhole>
__device__ __forceinline__ void multiply_tile(const LayerShape& shape, const LayerData& data,
                                              const Cut& cut, const TileBounds& bounds,
                                              WindowBegin* windows, unsigned char* stages,
                                              Sums<kIndex>& sums) {
  constexpr MmaTile kTile = kMmaTiles[kIndex];
  constexpr int kSubs = kBlockInputs / kTile.step, kStages = kTile.stages, kAhead = kTile.ahead;
  const WarpPlace warp = warp_place<kIndex>();
  const int first = static_cast<int>(blockIdx.y) * cut.blocks_each;
  const int last = min(first + cut.blocks_each, shape.order.blocks());
  const int turns = (last - first + kTile.groups - 1) / kTile.groups;
  const int row_tile = bounds.first_row / kBlockRows + warp.row_warp * kTile.row_tiles;
  const int offset = operand_offset<kIndex>(warp.group, warp.pixel_warp);
  const auto* x = static_cast<const T*>(data.x);
  const Source<T> source = {x, cut.linear ? x + bounds.first_pixel * shape.channels : nullptr,
                            windows, bounds.pixels};

  Bits<kIndex> bits[kAhead];
#pragma unroll
  for (int i = 0; i < kAhead; ++i) {
    const int block = first + i * kTile.groups + warp.group;
    if (block < last) bits[i].load(data, shape, row_tile, block);
  }
  for (int m = static_cast<int>(threadIdx.x); m < bounds.pixels; m += kTile.threads()) {
    windows[m] = window_begin(shape, bounds.first_pixel + m);
  }
  __syncthreads();
  const auto load = [&](int stage, int slot) {
    load_stage<T, kIndex, kWhole>(shape, source, stages + slot * kTile.stage_bytes(),
                                  first + stage / kSubs * kTile.groups, last, stage % kSubs);
    ptx::commit_copies();  // of nothing too: groups are counted
  };
#pragma unroll
  for (int i = 0; i < kStages - 1; ++i) load(i, i);
  prefetch_scales<kIndex>(shape, data, bounds);

  int slot = 0;  // of the stage that is multiplied next
  for (int begin = 0; begin < turns; begin += kAhead) {
#pragma unroll
    for (int i = 0; i < kAhead; ++i) {
      const int turn = begin + i, block = first + turn * kTile.groups + warp.group;
      if (turn >= turns) break;
#pragma unroll
      for (int sub = 0; sub < kSubs; ++sub) {
        ptx::wait_copies<kStages - 2>();
        // The group sees the stage, and none of it reads any longer the one that is loaded next.
        group_barrier<kIndex>(warp.group);
        load(turn * kSubs + sub + kStages - 1, slot == 0 ? kStages - 1 : slot - 1);
        if (block < last && block * kBlockInputs + sub * kTile.step < shape.order.inputs()) {
          multiply_stage<T, kIndex>(sums, bits[i], sub, stages + slot * kTile.stage_bytes(), offset,
                                    cut.minus_ones);
        }
        slot = slot == kStages - 1 ? 0 : slot + 1;
      }
      const int later = block + kAhead * kTile.groups;
      if (later < last) bits[i].load(data, shape, row_tile, later);
    }
  }
  ptx::wait_copies<0>();
  __syncthreads();
}

template <class T, int kIndex, bool kWhole>
__global__ void __launch_bounds__(kMmaTiles[kIndex].threads())
    mma_layer(LayerShape shape, LayerData data, Cut cut) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  constexpr MmaTile kTile = kMmaTiles[kIndex];
  auto* shared = shared_memory<unsigned char>();
  auto* windows = reinterpret_cast<WindowBegin*>(shared);
  const TileBounds bounds = tile_bounds<T, kIndex>(shape, cut);
  Sums<kIndex> sums;
  multiply_tile<T, kIndex, kWhole>(shape, data, cut, bounds, windows, shared + kTile.window_bytes(),
                                   sums);
  // From here on the stages' memory holds sums, and the windows' the answer who is last.
  auto* stored = reinterpret_cast<float*>(shared + kTile.window_bytes());
  const WarpPlace warp = warp_place<kIndex>();
  store_sums<kIndex>(sums, stored, warp.group, warp.row_warp, warp.pixel_warp);
  __syncthreads();
  const int columns = bounds.pixels * kColumns<T>;
  add_groups<kIndex>(stored, columns);
  if (cut.splits > 1) {
    if (!add_splits<kIndex>(cut, stored, columns, reinterpret_cast<int*>(shared))) return;
  }
  __syncthreads();
  finish_tile<T, kIndex>(shape, data, cut, bounds, stored);
#endif
}

using Kernel = void (*)(LayerShape, LayerData, Cut);

template <class T, bool kWhole, int kIndex>
constexpr Kernel kernel_of() {
  constexpr MmaTile kTile = kMmaTiles[kIndex];
  if constexpr (std::is_same_v<T, float> ? kTile.takes_floats() : kWhole || kTile.gathers) {
    return mma_layer<T, kIndex, kWhole>;
  } else {
    return nullptr;
  }
}

template <class T, bool kWhole>
Kernel kernel(int index) {
  static constexpr auto kAll = []<int... kIndices>(std::integer_sequence<int, kIndices...>) {
    return std::array<Kernel, kMmaTileCount>{kernel_of<T, kWhole, kIndices>()...};
  }
  (std::make_integer_sequence<int, kMmaTileCount>{});
  return kAll[static_cast<std::size_t>(index)];
}

Kernel kernel(Precision precision, bool whole, int index) {
  if (precision == Precision::kFp32) return kernel<float, false>(index);
  if (precision == Precision::kFp16) {
    return whole ? kernel<__half, true>(index) : kernel<__half, false>(index);
  }
  return whole ? kernel<__nv_bfloat16, true>(index) : kernel<__nv_bfloat16, false>(index);
}

}  // namespace

bool mma_computes(const LayerShape& shape, Precision precision, const Context& context) {
  return context.device().capability >= 80 && shape.form == WeightForm::kTile &&
         shape.groups == 1 && shape.tile_rows == shape.rows && copies_lie_in_order(shape) &&
         mma_plan(shape, precision, context.device()).tile >= 0;
}

std::int64_t mma_workspace_bytes(const LayerShape& shape, Precision precision,
                                 const Context& context) {
  const MmaPlan plan = mma_plan(shape, precision, context.device());
  if (plan.splits == 1) return 0;
  const MmaTile& tile = kMmaTiles[plan.tile];
  return plan.tiles() * plan.splits * tile.rows() * tile.pixels() *
         static_cast<std::int64_t>(sizeof(float));
}

void run_mma(const LayerTask& task, Context& context) {
  const MmaPlan plan = mma_plan(task.shape, task.precision, context.device());
  const bool whole = mma_whole_pieces(task.shape);
  TBN_CHECK(!whole || is_aligned(task.data.x), "x is aligned to 16 bytes");
  const Cut cut = {.tiles_in_rows = static_cast<int>(plan.tiles_in_rows),
                   .splits = plan.splits,
                   .blocks_each = plan.blocks_each,
                   .minus_ones = task.precision == Precision::kFp16 ? kMinusOnes<__half>
                                                                    : kMinusOnes<__nv_bfloat16>,
                   .linear = task.shape.is_linear(),
                   .wide = writes_wide(task),
                   .parts = reinterpret_cast<float*>(static_cast<unsigned char*>(task.workspace) +
                                                     kCounterBytes),
                   .counters = static_cast<unsigned*>(task.workspace)};
  const MmaTile& tile = kMmaTiles[plan.tile];
  launch("mma_layer", kernel(task.precision, whole, plan.tile),
         {.blocks = dim3(static_cast<unsigned>(plan.tiles()), static_cast<unsigned>(plan.splits)),
          .threads = static_cast<unsigned>(tile.threads()),
          .shared_bytes = static_cast<std::size_t>(tile.shared_bytes())},
         task.stream, task.shape, task.data, cut);
}

}  // namespace tbn::cuda
