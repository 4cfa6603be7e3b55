// Several linear layers, each on what the one before it made, for one to four vectors, in one
// launch: at such sizes launches cost more than products. All blocks run at once; between two
// layers they wait for each other, and fetch the next tile's bits into the cache while they do.
#include <algorithm>

#include "runtime/cuda/device/launch.h"
#include "runtime/cuda/device/precision.h"
#include "runtime/cuda/kernels/chain.h"
#include "runtime/cuda/kernels/gemv_rows.h"
#include "runtime/cuda/kernels/layer_kernels.h"

namespace tbn::cuda {
namespace {

constexpr int kChainWarps = 8;

struct Chain {
  int layers = 0;
  LayerShape shapes[kMostChained];
  LayerData data[kMostChained];
};

__host__ __device__ inline int row_blocks(const LayerShape& shape) {
  return (shape.rows + kBlockRows - 1) / kBlockRows;
}

// The words of the tile's rows that this block will need first.
__device__ __forceinline__ void fetch_tile(const LayerShape& shape, const LayerData& data) {
#ifndef TBN_CUDA_EMULATED
  constexpr int kLineWords = 32;
  const int words = shape.order.blocks() * kBlockWords;
  for (int row = blockIdx.x; row < row_blocks(shape); row += gridDim.x) {
    const std::uint32_t* begin = data.bits + std::int64_t{row} * words;
    for (int i = threadIdx.x * kLineWords; i < words; i += blockDim.x * kLineWords) {
      asm volatile("prefetch.global.L2 [%0];" ::"l"(begin + i));
    }
  }
#endif
}

// Returns when all blocks have come here `rounds` times. What they wrote before is seen after.
__device__ __forceinline__ void meet_all(unsigned* arrived, unsigned rounds) {
  __syncthreads();
  if (threadIdx.x == 0) {
    __threadfence();
    atomicAdd(arrived, 1u);
    while (*static_cast<volatile unsigned*>(arrived) < rounds * gridDim.x) __nanosleep(40);
    __threadfence();
  }
  __syncthreads();
}

// The last block to leave makes the counters zero again.
__device__ __forceinline__ void leave(unsigned* arrived, unsigned* left) {
  __syncthreads();
  if (threadIdx.x != 0 || atomicAdd(left, 1u) != gridDim.x - 1) return;
  *arrived = 0;
  *left = 0;
}

template <class T, int kVectors>
__global__ void __launch_bounds__(kWarp* kChainWarps)
    chain(const __grid_constant__ Chain chain, unsigned* counters) {
  for (int i = 0; i < chain.layers; ++i) {
    for (int row = blockIdx.x; row < row_blocks(chain.shapes[i]); row += gridDim.x) {
      gemv_rows<T, kVectors, true, Loads::kCoherent>(chain.shapes[i], chain.data[i], row);
      __syncthreads();  // the next rows use the same shared memory
    }
    if (i + 1 == chain.layers) break;
    fetch_tile(chain.shapes[i + 1], chain.data[i + 1]);
    meet_all(counters, static_cast<unsigned>(i) + 1);
  }
  leave(counters, counters + 1);
}

template <class T, int kVectors>
void run(const Chain& layers, const ChainTask& task, const Context& context) {
  int blocks = 1;
  for (int i = 0; i < layers.layers; ++i) blocks = std::max(blocks, row_blocks(layers.shapes[i]));
  const Grid grid = {
      .blocks = static_cast<unsigned>(std::min(blocks, context.device().multiprocessors)),
      .threads = static_cast<unsigned>(kWarp * kChainWarps),
      .shared_bytes = gemv_shared_bytes(kChainWarps, kVectors),
      .cooperative = true};
  launch("chain", chain<T, kVectors>, grid, task.stream, layers, task.counters);
}

}  // namespace

bool chain_computes(std::span<const LayerShape> shapes, Precision precision,
                    const Context& context) {
  if (shapes.size() < 2 || shapes.size() > kMostChained) return false;
  return std::all_of(shapes.begin(), shapes.end(), [&](const LayerShape& shape) {
    return gemv_computes(shape, precision, context) && shape.pixels() == shapes[0].pixels() &&
           shape.channels % 2 == 0;
  });
}

void run_chain(const ChainTask& task, const Context& context) {
  Chain layers;
  for (const ChainLink& link : task.links) {
    layers.shapes[layers.layers] = link.shape;
    layers.data[layers.layers++] = link.data;
  }
  with_type(task.precision, [&]<class T>(T*) {
    if (layers.shapes[0].pixels() == 1) return run<T, 1>(layers, task, context);
    return run<T, kMostVectors>(layers, task, context);
  });
}

}  // namespace tbn::cuda
