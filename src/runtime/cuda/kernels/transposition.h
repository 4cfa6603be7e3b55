// Matrices [batch, rows, columns] written as [batch, columns, rows], with something done to each
// value on the way.
#pragma once

#include "runtime/cuda/device/device_code.h"
#include "runtime/cuda/device/launch.h"

namespace tbn::cuda {

struct Matrices {
  std::int64_t count;  // how many
  int rows, columns;
};

inline constexpr int kTransposeTile = 32;

__device__ __forceinline__ void put(float* y, float value) { *y = value; }
__device__ __forceinline__ void put(__half* y, float value) { *y = from_float<__half>(value); }
__device__ __forceinline__ void put(__nv_bfloat16* y, float value) {
  *y = from_float<__nv_bfloat16>(value);
}
__device__ __forceinline__ float to_float(std::uint8_t x) { return static_cast<float>(x); }

// A block moves one square of 32 x 32 values after another through shared memory, so that both
// reads and writes are of whole lines. f(value, row) -> value.
template <class From, class To, class F>
__global__ void __launch_bounds__(256)
    transpose_squares(const From* x, To* y, Matrices matrices, F f) {
  constexpr int kSide = kTransposeTile, kPitch = kSide + 1, kStep = 8;
  float* square = shared_memory<float>();
  const int lane = static_cast<int>(threadIdx.x) % kSide;
  const int line = static_cast<int>(threadIdx.x) / kSide;
  const int down = (matrices.rows + kSide - 1) / kSide;
  const int across = (matrices.columns + kSide - 1) / kSide;
  const std::int64_t each = std::int64_t{matrices.rows} * matrices.columns;
  const std::int64_t squares = matrices.count * down * across;
  for (std::int64_t s = blockIdx.x; s < squares; s += gridDim.x) {
    const int column = static_cast<int>(s % across) * kSide;
    const int row = static_cast<int>(s / across % down) * kSide;
    const std::int64_t begin = s / across / down * each;
    for (int i = line; i < kSide; i += kStep) {
      if (row + i >= matrices.rows || column + lane >= matrices.columns) continue;
      const From value = x[begin + std::int64_t{row + i} * matrices.columns + column + lane];
      square[i * kPitch + lane] = f(to_float(value), row + i);
    }
    __syncthreads();
    for (int i = line; i < kSide; i += kStep) {
      if (row + lane >= matrices.rows || column + i >= matrices.columns) continue;
      put(y + begin + std::int64_t{column + i} * matrices.rows + row + lane,
          square[lane * kPitch + i]);
    }
    __syncthreads();
  }
}

// The same for narrow matrices, of which squares would be mostly empty: one thread per value.
template <class From, class To, class F>
__global__ void __launch_bounds__(256)
    transpose_narrow(const From* x, To* y, Matrices matrices, F f) {
  const std::int64_t each = std::int64_t{matrices.rows} * matrices.columns;
  for (std::int64_t i = first_index(); i < matrices.count * each; i += index_step()) {
    const std::int64_t begin = i / each * each;
    const auto inside = static_cast<unsigned>(i - begin);
    const auto rows = static_cast<unsigned>(matrices.rows);
    const std::int64_t row = inside % rows, column = inside / rows;
    put(y + i, f(to_float(x[begin + row * matrices.columns + column]), static_cast<int>(row)));
  }
}

template <class From, class To, class F>
void launch_transpose(const From* x, To* y, const Matrices& matrices, F f, cudaStream_t stream) {
  constexpr int kNarrow = 8, kSide = kTransposeTile;
  const std::int64_t values = matrices.count * matrices.rows * matrices.columns;
  if (values == 0) return;
  if (matrices.rows <= kNarrow || matrices.columns <= kNarrow) {
    launch("transpose_narrow", transpose_narrow<From, To, F>, grid_over(values), stream, x, y,
           matrices, f);
    return;
  }
  const std::int64_t down = (matrices.rows + kSide - 1) / kSide;
  const std::int64_t across = (matrices.columns + kSide - 1) / kSide;
  Grid grid = grid_over(matrices.count * down * across * 256);
  grid.shared_bytes = sizeof(float) * kSide * (kSide + 1);
  launch("transpose_squares", transpose_squares<From, To, F>, grid, stream, x, y, matrices, f);
}

// Values as they are.
struct Unchanged {
  __device__ float operator()(float x, int) const { return x; }
};

}  // namespace tbn::cuda
