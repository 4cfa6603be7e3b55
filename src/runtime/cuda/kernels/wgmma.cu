// Rungs for many pixels on Hopper devices: the matrix units take the bits of the rows from
// registers, where they become numbers, and the activations from shared memory, where bulk copies
// bring them: runs of a matrix for linear layers; for convolutions the windows of images a tap at a
// time or, where the stride is 1, all that they reach at once. Sums then make their outputs.
#include "runtime/cuda/device/context.h"
#include "runtime/cuda/device/launch.h"
#include "runtime/cuda/device/precision.h"
#include "runtime/cuda/kernels/layer_kernels.h"
#include "runtime/cuda/kernels/wgmma_finish.h"
#include "runtime/cuda/kernels/wgmma_padded.h"
#include "runtime/cuda/kernels/wgmma_share.h"
#include "runtime/cuda/layer/tensor_maps.h"

namespace tbn::cuda {
namespace {

static_assert(kStepInputs == kCopyInputs && kTapInputs == kStepInputs);

// Only code for sm_90a has these instructions. Without it the kernel is empty, and never launched.
#if defined(TBN_CUDA_EMULATED) || defined(__CUDA_ARCH_FEAT_SM90_ALL)

// Stage by stage what a tile's sums take: kStepInputs of its pixels, of a run of channels or of the
// windows at a tap; or of all padded pixels that its windows reach.
template <class Block>
__device__ __forceinline__ void copy_stage(const CUtensorMap& map, const WgmmaPlan& plan,
                                           const LayerShape& shape, const WorkItem& work, int step,
                                           WindowPlace place, void* to, Barrier* full) {
  if (!Block::kPadded && shape.is_linear()) {
    copy_box(to, &map, full, step * kStepInputs, work.pixel_tile * Block::kPixels);
    return;
  }
  const int tap = Block::kPadded ? 0 : step / plan.tap_steps;
  const int channels = Block::kPadded ? step / shape.order.taps : step % plan.tap_steps;
  place.c = channels * kStepInputs;
  place.tap_h = static_cast<unsigned short>(tap / shape.kernel_w);
  place.tap_w = static_cast<unsigned short>(tap % shape.kernel_w);
  copy_windows(to, &map, full, place);
}

// The window of a tile's first pixel.
template <class Block>
__device__ __forceinline__ WindowPlace first_window(const LayerShape& shape, const WorkItem& work) {
  const Pixel pixel = pixel_at(Block::kPadded ? padded_pixels(shape) : shape,
                               std::int64_t{work.pixel_tile} * Block::kPixels);
  return {.c = 0,
          .w = pixel.x * shape.stride_w - shape.padding_w,
          .h = pixel.y * shape.stride_h - shape.padding_h,
          .n = pixel.image,
          .tap_w = 0,
          .tap_h = 0};
}

// One thread's work: all copies of the block, each once its stage is free.
template <class Block>
__device__ __forceinline__ void copy_inputs(const CUtensorMap& map, const WgmmaPlan& plan,
                                            const LayerShape& shape,
                                            const WgmmaShared<Block>& shared) {
  RingPlace<Block> ring;
  const int items = plan.items(), stage_steps = Block::kPadded ? shape.order.taps : 1;
  const auto bytes = static_cast<unsigned>(plan.copied_pixels * kStepInputs * 2);
  for (int item = static_cast<int>(blockIdx.x); item < items; item += gridDim.x) {
    const WorkItem work = work_item(plan, item);
    const WindowPlace place = first_window<Block>(shape, work);
    for (int step = work.first_step; step < work.end_step; step += stage_steps) {
      barrier_wait(shared.empty(ring.stage()), ring.parity() ^ 1u);
      barrier_arrive_expecting(shared.full(ring.stage()), bytes);
      copy_stage<Block>(map, plan, shape, work, step, place, shared.stage(ring.stage()),
                        shared.full(ring.stage()));
      ++ring.passed;
    }
  }
}

template <class T, class Block>
__device__ __forceinline__ void compute_outputs(const WgmmaPlan& plan, const LayerShape& shape,
                                                const LayerData& data,
                                                const WgmmaShared<Block>& shared, void* workspace) {
  const int warpgroup = static_cast<int>(threadIdx.x) / kWarpgroup - 1;
  using Summer = std::conditional_t<Block::kPadded, PaddedSummer<T, Block>, WgmmaSummer<T, Block>>;
  Summer summer(shared, plan, data, shape.order.blocks(), warpgroup);
  const int items = plan.items();
  for (int item = static_cast<int>(blockIdx.x); item < items; item += gridDim.x) {
    const WorkItem work = work_item(plan, item);
    typename Block::Sums sums;
    summer.sum(work, shape, sums);
    if (plan.splits > 1 &&
        !share_sums<Block>(plan, work, warpgroup, shared.last(warpgroup), workspace, sums)) {
      continue;
    }
    finish_sums<T, Block>(shape, data, work, warpgroup, shared.patch(warpgroup), sums);
  }
}

template <class T, class Block>
__device__ __forceinline__ void run_block(const CUtensorMap& map, const WgmmaPlan& plan,
                                          const LayerShape& shape, const LayerData& data,
                                          void* workspace) {
  constexpr int kMultiplyingWarps = 2 * kWarpgroup / kWarp;
  // Together the 384 * 168 registers that the block starts with.
  constexpr int kCopyRegisters = 24, kSumRegisters = 240;
  const WgmmaShared<Block> shared{shared_memory<unsigned char>()};
  if (threadIdx.x == 0) {
    for (int i = 0; i < static_cast<int>(Block::kStages); ++i) {
      barrier_init(shared.full(i), 1);
      barrier_init(shared.empty(i), kMultiplyingWarps);
    }
    fence_barrier_init();
  }
  __syncthreads();
  if (threadIdx.x < kWarpgroup) {
    keep_registers<kCopyRegisters>();
    if (threadIdx.x == 0) copy_inputs<Block>(map, plan, shape, shared);
  } else {
    take_registers<kSumRegisters>();
    compute_outputs<T, Block>(plan, shape, data, shared, workspace);
  }
}

#endif

template <class T, class Block>
__global__ void __launch_bounds__(kWgmmaThreads, 1)
    wgmma_layer(const __grid_constant__ CUtensorMap map, const WgmmaPlan plan,
                const LayerShape shape, const LayerData data, void* workspace) {
#if defined(TBN_CUDA_EMULATED) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
  run_block<T, Block>(map, plan, shape, data, workspace);
#endif
}

template <class T, class Block>
void launch_tile(const LayerTask& task, const WgmmaPlan& plan, int multiprocessors) {
  const int blocks = plan.items() < multiprocessors ? plan.items() : multiprocessors;
  const CUtensorMap map = input_map(Block::kPadded ? padded_pixels(task.shape) : task.shape,
                                    task.precision, task.data.x, plan.copied_pixels);
  launch("wgmma_layer", wgmma_layer<T, Block>,
         {.blocks = static_cast<unsigned>(blocks),
          .threads = kWgmmaThreads,
          .shared_bytes = Block::kSharedBytes},
         task.stream, map, plan, task.shape, task.data, task.workspace);
}

// The launches of a tile: for the layer's pixels, and for those of padded images.
using Launch = void (*)(const LayerTask&, const WgmmaPlan&, int);
struct Launches {
  Launch own, padded;
};
template <class T, int kTile, int kParts, int kColumns, bool kBeside>
constexpr Launches launches() {
  using Block = WgmmaBlock<kParts, kColumns, kBeside>;
  constexpr WgmmaTile kSize = kWgmmaTiles[kTile];
  static_assert(kSize.rows == Block::kRows && kSize.pixels == Block::kPixels);
  if constexpr (kSize.padded) {
    return {launch_tile<T, Block>, launch_tile<T, WgmmaBlock<kParts, kColumns, kBeside, true>>};
  } else {
    return {launch_tile<T, Block>, nullptr};
  }
}

template <class T>
void launch_plan(const LayerTask& task, const WgmmaPlan& plan, int multiprocessors) {
  static constexpr Launches kLaunches[] = {
      launches<T, 0, 2, 128, false>(), launches<T, 1, 1, 256, false>(),
      launches<T, 2, 1, 128, false>(), launches<T, 3, 1, 64, false>(),
      launches<T, 4, 1, 128, true>(),  launches<T, 5, 1, 64, true>()};
  static_assert(std::size(kLaunches) == std::size(kWgmmaTiles));
  const Launches& of_tile = kLaunches[plan.tile];
  (plan.padded ? of_tile.padded : of_tile.own)(task, plan, multiprocessors);
}

bool is_for(Precision precision, const Context& context) {
#ifdef TBN_WITHOUT_SM_90A
  constexpr bool kHasCode = false;
#else
  constexpr bool kHasCode = true;
#endif
  constexpr int kHopper = 90;
  return kHasCode && context.device().capability == kHopper && precision != Precision::kFp32;
}

void run(const LayerTask& task, const Context& context, bool padded) {
  const int multiprocessors = context.device().multiprocessors;
  const WgmmaPlan plan = wgmma_plan(task.shape, multiprocessors, padded);
  if (task.precision == Precision::kFp16) {
    launch_plan<__half>(task, plan, multiprocessors);
  } else {
    launch_plan<__nv_bfloat16>(task, plan, multiprocessors);
  }
}

}  // namespace

bool wgmma_computes(const LayerShape& shape, Precision precision, const Context& context) {
  return is_for(precision, context) && wgmma_takes(shape);
}

std::int64_t wgmma_workspace_bytes(const LayerShape& shape, Precision precision,
                                   const Context& context) {
  if (!wgmma_computes(shape, precision, context)) return 0;
  return wgmma_partial_bytes(wgmma_plan(shape, context.device().multiprocessors));
}

void run_wgmma(const LayerTask& task, Context& context) { run(task, context, false); }

bool wgmma_padded_computes(const LayerShape& shape, Precision precision, const Context& context) {
  return is_for(precision, context) && wgmma_takes_padded(shape);
}

std::int64_t wgmma_padded_workspace_bytes(const LayerShape& shape, Precision precision,
                                          const Context& context) {
  if (!wgmma_padded_computes(shape, precision, context)) return 0;
  return wgmma_partial_bytes(wgmma_plan(shape, context.device().multiprocessors, true));
}

void run_wgmma_padded(const LayerTask& task, Context& context) { run(task, context, true); }

}  // namespace tbn::cuda
