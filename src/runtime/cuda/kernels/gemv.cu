// A matrix of bits times one to four vectors, with exact sums of 32 bits on every device. A block
// takes 16 rows of the tile; its warps share the inputs, 256 at a time, and each lane loads the
// weights of two rows and 64 inputs with one 128-bit load (see tile_order.h). A sum of R rows is
// finished as p outputs.
#include <algorithm>

#include "runtime/cuda/epilogue.h"
#include "runtime/cuda/kernels/layer_kernels.h"
#include "runtime/cuda/launch.h"
#include "runtime/cuda/precision.h"

namespace tbn::cuda {
namespace {

constexpr int kMostVectors = 4;
constexpr int kMostWarps = 16;

// Two neighbouring inputs, each with its sign flipped where the weight's bit is 0. `flips` has the
// bits inverted, at `bit` and 16 above it.
struct Signed {
  float first, second;
};
__device__ __forceinline__ Signed with_signs(float2 x, std::uint32_t flips, int bit) {
  return {__uint_as_float(__float_as_uint(x.x) ^ (flips << (31 - bit) & 0x80000000u)),
          __uint_as_float(__float_as_uint(x.y) ^ (flips << (15 - bit) & 0x80000000u))};
}
// Both signs of a pair of 16-bit floats at once.
__device__ __forceinline__ std::uint32_t flip_pair(std::uint32_t x, std::uint32_t flips, int bit) {
  return x ^ (flips << (15 - bit) & 0x80008000u);
}
__device__ __forceinline__ Signed with_signs(__nv_bfloat162 x, std::uint32_t flips, int bit) {
  const std::uint32_t pair = flip_pair(*reinterpret_cast<const std::uint32_t*>(&x), flips, bit);
  return {__uint_as_float(pair << 16), __uint_as_float(pair & 0xffff0000u)};
}
__device__ __forceinline__ Signed with_signs(__half2 x, std::uint32_t flips, int bit) {
  const std::uint32_t pair = flip_pair(*reinterpret_cast<const std::uint32_t*>(&x), flips, bit);
  const float2 both = __half22float2(*reinterpret_cast<const __half2*>(&pair));
  return {both.x, both.y};
}

template <class T>
struct PairOf;
template <>
struct PairOf<float> {
  using Type = float2;
};
template <>
struct PairOf<__half> {
  using Type = __half2;
};
template <>
struct PairOf<__nv_bfloat16> {
  using Type = __nv_bfloat162;
};

// x[k] and x[k + 1], zeros from `inputs` on. Where `kEven`, pairs lie at multiples of their size.
template <class T, bool kEven>
__device__ __forceinline__ typename PairOf<T>::Type load_pair(const T* x, int k, int inputs) {
  using Pair = typename PairOf<T>::Type;
  Pair pair{};
  if constexpr (kEven) {
    if (k < inputs) pair = *reinterpret_cast<const Pair*>(x + k);
  } else {
    if (k < inputs) pair.x = x[k];
    if (k + 1 < inputs) pair.y = x[k + 1];
  }
  return pair;
}

template <class T, int kVectors, bool kEven>
class RowSums {
 public:
  // Adds the products of 256 inputs from `first` on.
  __device__ __forceinline__ void add(const LayerShape& shape, const T* x, uint4 words, int first) {
    const std::uint32_t flips[4] = {~words.x, ~words.y, ~words.z, ~words.w};
    const int pair = first + threadIdx.x % 4 * 2;
#pragma unroll
    for (int step = 0; step < 32; ++step) {  // of 8 inputs
      const int bit = step % 16;
#pragma unroll
      for (int v = 0; v < kVectors; ++v) {
        const auto values = load_pair<T, kEven>(x + std::int64_t{v} * shape.channels,
                                                pair + step * 8, shape.channels);
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          const Signed terms = with_signs(values, flips[step / 16 * 2 + half], bit);
          sums_[half][v] += terms.first + terms.second;
        }
      }
    }
  }

  // The sums of row g + 8 half over the lanes that share it, in the first of them.
  __device__ __forceinline__ float total(int half, int v) const {
    float sum = sums_[half][v];
    sum += __shfl_xor_sync(~0u, sum, 1);
    return sum + __shfl_xor_sync(~0u, sum, 2);
  }

 private:
  float sums_[2][kVectors] = {};
};

template <class T, int kVectors, bool kEven>
__global__ void __launch_bounds__(kWarp* kMostWarps) gemv(LayerShape shape, LayerData data) {
  const int blocks = shape.order.blocks();
  const int warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp, warps = blockDim.x / kWarp;
  const auto* words =
      reinterpret_cast<const uint4*>(data.bits) + std::int64_t{blockIdx.x} * blocks * kWarp + lane;
  const auto* x = static_cast<const T*>(data.x);

  RowSums<T, kVectors, kEven> sums;
  for (int block = warp; block < blocks; block += warps) {
    sums.add(shape, x, __ldg(words + block * kWarp), block * kBlockInputs);
  }
  auto* shared = shared_memory<float>();  // [warps][kVectors][16 rows]
#pragma unroll
  for (int half = 0; half < 2; ++half) {
#pragma unroll
    for (int v = 0; v < kVectors; ++v) {
      const float sum = sums.total(half, v);
      if (lane % 4 == 0) shared[(warp * kVectors + v) * kBlockRows + half * 8 + lane / 4] = sum;
    }
  }
  __syncthreads();
  for (int i = threadIdx.x; i < kVectors * kBlockRows; i += blockDim.x) {
    const int v = i / kBlockRows, r = blockIdx.x * kBlockRows + i % kBlockRows;
    float sum = 0;
    for (int w = 0; w < warps; ++w) sum += shared[w * kVectors * kBlockRows + i];
    if (r < shape.rows) finish_row<T>(shape, data, v, r, sum);
  }
}

template <class T, int kVectors>
void run(const LayerTask& task) {
  const LayerShape& shape = task.shape;
  const int warps = std::clamp(shape.order.blocks(), 1, kMostWarps);
  const Grid grid = {
      .blocks = static_cast<unsigned>((shape.rows + kBlockRows - 1) / kBlockRows),
      .threads = static_cast<unsigned>(warps * kWarp),
      .shared_bytes = static_cast<std::size_t>(warps * kVectors * kBlockRows) * sizeof(float)};
  if (shape.channels % 2 == 0) {
    launch("gemv", gemv<T, kVectors, true>, grid, task.stream, shape, task.data);
  } else {
    launch("gemv", gemv<T, kVectors, false>, grid, task.stream, shape, task.data);
  }
}

}  // namespace

bool gemv_computes(const LayerShape& shape, Precision, const Context&) {
  return shape.form == WeightForm::kTile && shape.is_linear() && shape.pixels() <= kMostVectors;
}

void run_gemv(const LayerTask& task, Context&) {
  with_type(task.precision, [&]<class T>(T*) {
    switch (task.shape.pixels()) {
      case 1:
        return run<T, 1>(task);
      case 2:
        return run<T, 2>(task);
      case 3:
        return run<T, 3>(task);
      default:
        return run<T, 4>(task);
    }
  });
}

}  // namespace tbn::cuda
