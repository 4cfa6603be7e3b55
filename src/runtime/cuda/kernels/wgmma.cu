// Rungs for many pixels on Hopper devices: the matrix units take the bits of the rows from
// registers, where they become numbers, and the activations from shared memory, where bulk copies
// bring them: runs of a matrix for linear layers, the windows of an image for convolutions, a tap
// at a time. Sums then make their copies of outputs (layer.h).
#include "runtime/cuda/context.h"
#include "runtime/cuda/kernels/layer_kernels.h"
#include "runtime/cuda/kernels/wgmma_finish.h"
#include "runtime/cuda/kernels/wgmma_sum.h"
#include "runtime/cuda/launch.h"
#include "runtime/cuda/precision.h"
#include "runtime/cuda/tensor_maps.h"
#include "runtime/cuda/weights.h"

namespace tbn::cuda {
namespace {

static_assert(kStepInputs == kCopyInputs && kTapInputs == kStepInputs);

// Only code for sm_90a has these instructions. For other devices the kernel is empty, and never
// launched.
#if defined(TBN_CUDA_EMULATED) || defined(__CUDA_ARCH_FEAT_SM90_ALL)

// Step `step` of the inputs of the tile's pixels, from `place` on where they are windows.
template <class Block>
__device__ __forceinline__ void copy_step(const CUtensorMap& map, const WgmmaPlan& plan,
                                          const LayerShape& shape, const WorkItem& work, int step,
                                          WindowPlace place, void* to, Barrier* full) {
  if (shape.is_linear()) {
    copy_box(to, &map, full, step * kStepInputs, work.pixel_tile * Block::kPixels);
    return;
  }
  const int tap = step / plan.tap_steps;
  place.c = step % plan.tap_steps * kStepInputs;
  place.tap_h = static_cast<unsigned short>(tap / shape.kernel_w);
  place.tap_w = static_cast<unsigned short>(tap % shape.kernel_w);
  copy_windows(to, &map, full, place);
}

// One thread's work: all copies of the block, each once its stage is free.
template <class Block>
__device__ __forceinline__ void copy_inputs(const CUtensorMap& map, const WgmmaPlan& plan,
                                            const LayerShape& shape,
                                            const WgmmaShared<Block>& shared) {
  RingPlace<Block> ring;
  const int items = plan.items();
  for (int item = static_cast<int>(blockIdx.x); item < items; item += gridDim.x) {
    const WorkItem work = work_item(plan, item);
    const Pixel pixel = pixel_at(shape, std::int64_t{work.pixel_tile} * Block::kPixels);
    const WindowPlace place{0,
                            pixel.x * shape.stride_w - shape.padding_w,
                            pixel.y * shape.stride_h - shape.padding_h,
                            pixel.image,
                            0,
                            0};
    for (int step = work.first_step; step < work.end_step; ++step) {
      barrier_wait(shared.empty(ring.stage()), ring.parity() ^ 1u);
      barrier_arrive_expecting(shared.full(ring.stage()), Block::kStageBytes);
      copy_step<Block>(map, plan, shape, work, step, place, shared.stage(ring.stage()),
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
  WgmmaSummer<T, Block> summer(shared, plan, data.bits, shape.order.blocks(), warpgroup);
  const int items = plan.items();
  for (int item = static_cast<int>(blockIdx.x); item < items; item += gridDim.x) {
    const WorkItem work = work_item(plan, item);
    typename Block::Sums sums;
    summer.sum(work, sums);
    if (plan.splits > 1 &&
        !add_partial_sums<Block>(plan, work, warpgroup, shared.last(warpgroup), workspace, sums)) {
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
  launch("wgmma_layer", wgmma_layer<T, Block>,
         {.blocks = static_cast<unsigned>(blocks),
          .threads = kWgmmaThreads,
          .shared_bytes = Block::kSharedBytes},
         task.stream, input_map(task.shape, task.precision, task.data.x, Block::kPixels), plan,
         task.shape, task.data, task.workspace);
}

template <class T>
void launch_plan(const LayerTask& task, int multiprocessors) {
  using Launch = void (*)(const LayerTask&, const WgmmaPlan&, int);
  static constexpr Launch kLaunches[] = {
      launch_tile<T, WgmmaBlock<2, 128, false>>, launch_tile<T, WgmmaBlock<1, 256, false>>,
      launch_tile<T, WgmmaBlock<1, 128, false>>, launch_tile<T, WgmmaBlock<1, 64, false>>,
      launch_tile<T, WgmmaBlock<1, 128, true>>,  launch_tile<T, WgmmaBlock<1, 64, true>>};
  static_assert(std::size(kLaunches) == std::size(kWgmmaTiles));
  const WgmmaPlan plan = wgmma_plan(task.shape, multiprocessors);
  kLaunches[plan.tile](task, plan, multiprocessors);
}

}  // namespace

bool wgmma_computes(const LayerShape& shape, Precision precision, const Context& context) {
  constexpr int kHopper = 90;
  return context.device().capability == kHopper && precision != Precision::kFp32 &&
         wgmma_takes(shape);
}

std::int64_t wgmma_workspace_bytes(const LayerShape& shape, Precision precision,
                                   const Context& context) {
  if (!wgmma_computes(shape, precision, context)) return 0;
  return wgmma_partial_bytes(wgmma_plan(shape, context.device().multiprocessors));
}

void run_wgmma(const LayerTask& task, Context& context) {
  const int multiprocessors = context.device().multiprocessors;
  if (task.precision == Precision::kFp16) {
    launch_plan<__half>(task, multiprocessors);
  } else {
    launch_plan<__nv_bfloat16>(task, multiprocessors);
  }
}

}  // namespace tbn::cuda
