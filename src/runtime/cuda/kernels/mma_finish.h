// The outer parts of the kernel "mma": the sums of its warps and blocks, and what becomes of them.
#pragma once

#include <cstring>

#include "runtime/cuda/kernels/mma_plan.h"
#include "runtime/cuda/kernels/mma_tile.h"
#include "runtime/cuda/layer/epilogue.h"

namespace tbn::cuda::mma {

// How one launch cuts a layer.
struct Cut {
  int tiles_in_rows = 1;
  int splits = 1;
  int blocks_each = 0;           // of 256 inputs, of a split
  std::uint32_t minus_ones = 0;  // kMinusOnes
  bool linear = false;           // LayerShape::is_linear()
  bool wide = false;             // y, and what is added to it, in aligned pieces of 8 values
  float* parts = nullptr;        // [tile][split][column][row], where there are splits
  unsigned* counters = nullptr;
};

// The rows and pixels of this block's tile.
struct TileBounds {
  int first_row, rows;
  std::int64_t first_pixel;
  int pixels;
};

template <class T, int kIndex>
__device__ __forceinline__ TileBounds tile_bounds(const LayerShape& shape, const Cut& cut) {
  constexpr MmaTile kTile = kMmaTiles[kIndex];
  constexpr int kPixels = kTile.pixels() / kColumns<T>;
  const auto tile = static_cast<int>(blockIdx.x);
  TileBounds bounds;
  bounds.first_row = tile % cut.tiles_in_rows * kTile.rows();
  bounds.rows = min(kTile.rows(), shape.rows - bounds.first_row);
  bounds.first_pixel = std::int64_t{tile / cut.tiles_in_rows} * kPixels;
  const std::int64_t left = shape.pixels() - bounds.first_pixel;
  bounds.pixels = left < kPixels ? static_cast<int>(left) : kPixels;
  return bounds;
}

// The sums of each group of warps to shared memory, [group][column][row].
template <int kIndex>
__device__ __forceinline__ void store_sums(Sums<kIndex>& sums, float* stored, int group,
                                           int row_warp, int pixel_warp) {
  constexpr MmaTile kTile = kMmaTiles[kIndex];
  const int lane = static_cast<int>(threadIdx.x) % kWarp, g = lane / 4, t = lane % 4;
#pragma unroll
  for (int r = 0; r < kTile.row_tiles; ++r) {
#pragma unroll
    for (int n = 0; n < kTile.fragments; ++n) {
      const int row = (row_warp * kTile.row_tiles + r) * 16 + g;
      const int pixel = (pixel_warp * kTile.fragments + n) * 8 + 2 * t;
      float* at = stored + (group * kTile.pixels() + pixel) * kTile.sum_stride() + row;
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        float sum = sums.of[0][r][n][i];
#pragma unroll
        for (int c = 1; c < Sums<kIndex>::kChains; ++c) sum += sums.of[c][r][n][i];
        at[i % 2 * kTile.sum_stride() + i / 2 * 8] = sum;
      }
    }
  }
}

__device__ __forceinline__ void add_to(float4& sum, const float4& other) {
  sum.x += other.x;
  sum.y += other.y;
  sum.z += other.z;
  sum.w += other.w;
}

// Calls f(i, where) for each 4 sums that lie together: the i-th of the tile's, stored there.
template <int kIndex, class F>
__device__ __forceinline__ void for_each_four(int columns, F f) {
  constexpr MmaTile kTile = kMmaTiles[kIndex];
  constexpr int kFours = kTile.rows() / 4;
  for (int i = static_cast<int>(threadIdx.x); i < columns * kFours; i += kTile.threads()) {
    f(i, i / kFours * kTile.sum_stride() + i % kFours * 4);
  }
}

template <int kIndex>
__device__ __forceinline__ void add_groups(float* stored, int columns) {
  constexpr MmaTile kTile = kMmaTiles[kIndex];
  if constexpr (kTile.groups > 1) {
    for_each_four<kIndex>(columns, [&](int, int at) {
      auto* four = reinterpret_cast<float4*>(stored + at);
      float4 sum = *four;
#pragma unroll
      for (int g = 1; g < kTile.groups; ++g) {
        add_to(sum, four[g * kTile.pixels() * kTile.sum_stride() / 4]);
      }
      *four = sum;
    });
  }
}

// Adds the parts of all blocks that share this tile, in their order, in the last block to come
// here: true there. A block's part is seen before its ticket, because thread 0, which takes the
// ticket, fences after the barrier that all of the block's threads come to when they have written.
template <int kIndex>
__device__ __forceinline__ bool add_splits(const Cut& cut, float* stored, int columns,
                                           int* is_last) {
  constexpr MmaTile kTile = kMmaTiles[kIndex];
  constexpr int kFours = kTile.rows() * kTile.pixels() / 4;
  auto* parts =
      reinterpret_cast<float4*>(cut.parts) + std::int64_t{blockIdx.x} * cut.splits * kFours;
  auto* own = parts + std::int64_t{blockIdx.y} * kFours;
  for_each_four<kIndex>(
      columns, [&](int i, int at) { own[i] = *reinterpret_cast<const float4*>(stored + at); });
  __syncthreads();
  if (threadIdx.x == 0) {
    __threadfence();
    const unsigned ticket = atomicAdd(cut.counters + blockIdx.x, 1u);
    __threadfence();
    *is_last = ticket == unsigned(cut.splits - 1) ? 1 : 0;
  }
  __syncthreads();
  if (*is_last == 0) return false;
  for_each_four<kIndex>(columns, [&](int i, int at) {
    float4 sum = ptx::load_at_l2(parts + i);
#pragma unroll 4
    for (int s = 1; s < cut.splits; ++s) {
      add_to(sum, ptx::load_at_l2(parts + std::int64_t{s} * kFours + i));
    }
    *reinterpret_cast<float4*>(stored + at) = sum;
  });
  if (threadIdx.x == 0) cut.counters[blockIdx.x] = 0;
  return true;
}

// ---- outputs

// Outputs of a tile's row of pixels: output o of them, counted copy by copy or, where copies lie
// next to each other, as they lie.
struct OutputPlace {
  int c, row;  // of the layer, of the tile
};
__device__ __forceinline__ OutputPlace output_place(const LayerShape& shape,
                                                    const TileBounds& bounds, int o) {
  if (shape.row_step != 1) return {bounds.first_row * shape.row_step + o, o / shape.row_step};
  const int copy = o / bounds.rows, row = o - copy * bounds.rows;
  return {bounds.first_row + row + copy * shape.copy_step, row};
}

// While x and the bits are on their way, so are what the outputs need.
template <int kIndex>
__device__ __forceinline__ void prefetch_scales(const LayerShape& shape, const LayerData& data,
                                                const TileBounds& bounds) {
  const int outputs = bounds.rows * shape.copies();
  for (int o = static_cast<int>(threadIdx.x) * 16; o < outputs;
       o += kMmaTiles[kIndex].threads() * 16) {
    const int c = output_place(shape, bounds, o).c;
    ptx::prefetch_l2(data.gain + c);
    ptx::prefetch_l2(data.bias + c);
  }
}

// Outputs c .. c + 7 of pixel m from 8 sums.
template <class T>
__device__ __forceinline__ void finish_eight(const LayerShape& shape, const LayerData& data,
                                             std::int64_t m, int c, const float (&sums)[8]) {
  const std::int64_t at = m * shape.outputs + c;
  float gain[8], bias[8];
  T added[8], values[8];
#pragma unroll
  for (int i = 0; i < 8; i += 4) {
    const float4 gains = __ldg(reinterpret_cast<const float4*>(data.gain + c + i));
    const float4 biases = __ldg(reinterpret_cast<const float4*>(data.bias + c + i));
    std::memcpy(gain + i, &gains, sizeof(gains));
    std::memcpy(bias + i, &biases, sizeof(biases));
  }
  constexpr int kLoads = 8 * sizeof(T) / sizeof(uint4);
  if (shape.residual) {
    uint4 loaded[kLoads];
#pragma unroll
    for (int i = 0; i < kLoads; ++i) {
      loaded[i] = reinterpret_cast<const uint4*>(static_cast<const T*>(data.residual) + at)[i];
    }
    std::memcpy(static_cast<void*>(added), loaded, sizeof(loaded));
  }
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    float value = gain[i] * sums[i] + bias[i];
    if (shape.residual) value += to_float(added[i]);
    values[i] = from_float<T>(activate(shape.activation, value));
  }
  uint4 result[kLoads];
  std::memcpy(result, values, sizeof(result));
#pragma unroll
  for (int i = 0; i < kLoads; ++i) {
    reinterpret_cast<uint4*>(static_cast<T*>(data.y) + at)[i] = result[i];
  }
}

// u of a tile's pixel and row: its columns' sums, the least first.
template <class T, int kIndex>
__device__ __forceinline__ float sum_at(const float* stored, int pixel, int row) {
  constexpr int kStride = kMmaTiles[kIndex].sum_stride();
  float sum = 0;
#pragma unroll
  for (int i = kColumns<T> - 1; i >= 0; --i) {
    sum += stored[(pixel * kColumns<T> + i) * kStride + row];
  }
  return sum;
}

// Neighbouring threads take neighbouring outputs of a pixel. Whatever is added to an output is read
// by the thread that writes it: it may lie in y.
template <class T, int kIndex>
__device__ __forceinline__ void finish_tile(const LayerShape& shape, const LayerData& data,
                                            const Cut& cut, const TileBounds& bounds,
                                            const float* stored) {
  constexpr MmaTile kTile = kMmaTiles[kIndex];
  const int outputs = bounds.rows * shape.copies();
  const int each = cut.wide ? 8 : 1, pieces = outputs / each;
#pragma unroll 1
  for (int i = static_cast<int>(threadIdx.x); i < bounds.pixels * pieces; i += kTile.threads()) {
    const int pixel = i / pieces, o = (i - pixel * pieces) * each;
    const OutputPlace place = output_place(shape, bounds, o);
    const std::int64_t m = bounds.first_pixel + pixel;
    if (!cut.wide) {
      finish_output<T>(shape, data, m, place.c, sum_at<T, kIndex>(stored, pixel, place.row));
      continue;
    }
    float eight[8];
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      const int row = shape.row_step == 1 ? place.row + j : (o + j) / shape.row_step;
      eight[j] = sum_at<T, kIndex>(stored, pixel, row);
    }
    finish_eight<T>(shape, data, m, place.c, eight);
  }
}

// ---- layers that it suits

// Whether output_place finds the outputs of a row.
inline bool copies_lie_in_order(const LayerShape& shape) {
  return shape.row_step == 1 || (shape.row_step == shape.copies() && shape.copy_step == 1);
}

inline bool is_aligned(const void* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer) % 16 == 0;
}

// Whether each 8 outputs that finish_eight takes are a piece of y.
inline bool writes_wide(const LayerTask& task) {
  const LayerShape& shape = task.shape;
  return shape.outputs % 8 == 0 && (shape.row_step != 1 || shape.rows % 8 == 0) &&
         (shape.copies() == 1 || shape.row_step != 1 || shape.copy_step % 8 == 0) &&
         is_aligned(task.data.y) && is_aligned(task.data.residual) && is_aligned(task.data.gain) &&
         is_aligned(task.data.bias);
}

}  // namespace tbn::cuda::mma
