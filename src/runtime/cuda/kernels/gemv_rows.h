// The sums of 16 rows of a tile with up to kVectors vectors by the warps of a block: what the
// kernels gemv and chain share. The warps share the inputs, 256 at a time, and each lane loads the
// weights of two rows and 64 inputs with one 128-bit load (see tile_order.h). Sums are exact
// products of 32 bits on every device.
#pragma once

#include "runtime/cuda/layer/epilogue.h"

namespace tbn::cuda {

inline constexpr int kMostVectors = 4;
inline constexpr int kMostGemvWarps = 16;

// Bytes of shared memory that a block of that many warps needs.
inline std::size_t gemv_shared_bytes(int warps, int vectors) {
  return static_cast<std::size_t>(warps * vectors * kBlockRows) * sizeof(float);
}

// How inputs are loaded: as another block of the same launch may have written them, or not.
enum class Loads { kCached, kCoherent };

template <Loads kLoads, class V>
__device__ __forceinline__ V load_value(const V* address) {
  if constexpr (kLoads == Loads::kCoherent) return __ldcg(address);
  return *address;
}

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
template <class T, bool kEven, Loads kLoads>
__device__ __forceinline__ typename PairOf<T>::Type load_pair(const T* x, int k, int inputs) {
  using Pair = typename PairOf<T>::Type;
  Pair pair{};
  if constexpr (kEven) {
    if (k < inputs) pair = load_value<kLoads>(reinterpret_cast<const Pair*>(x + k));
  } else {
    if (k < inputs) pair.x = load_value<kLoads>(x + k);
    if (k + 1 < inputs) pair.y = load_value<kLoads>(x + k + 1);
  }
  return pair;
}

template <class T, int kVectors, bool kEven, Loads kLoads>
class RowSums {
 public:
  // Adds the products of 256 inputs from `first` on.
  __device__ __forceinline__ void add(const LayerShape& shape, const T* x, uint4 words, int first) {
    const int pair = first + threadIdx.x % 4 * 2;
    add_half(shape, x, ~words.x, ~words.y, pair);
    add_half(shape, x, ~words.z, ~words.w, pair + kBlockInputs / 2);
  }

  // The sums of row g + 8 half over the lanes that share it, in the first of them.
  __device__ __forceinline__ float total(int half, int v) const {
    float sum = sums_[half][v];
    sum += __shfl_xor_sync(~0u, sum, 1);
    return sum + __shfl_xor_sync(~0u, sum, 2);
  }

 private:
  // Adds 128 inputs: `flips` are the bits of row g, `flips_below` those of row g + 8, inverted.
  __device__ __forceinline__ void add_half(const LayerShape& shape, const T* x, std::uint32_t flips,
                                           std::uint32_t flips_below, int pair) {
#pragma unroll 4
    for (int step = 0; step < 16; ++step) {  // of 8 inputs
#pragma unroll
      for (int v = 0; v < kVectors; ++v) {
        const auto values =
            load_pair<T, kEven, kLoads>(row(shape, x, v), pair + step * 8, shape.channels);
        const Signed above = with_signs(values, flips, step);
        const Signed below = with_signs(values, flips_below, step);
        sums_[0][v] += above.first + above.second;
        sums_[1][v] += below.first + below.second;
      }
    }
  }
  // There may be fewer vectors than kVectors: the last is taken again, and its sums are dropped.
  __device__ __forceinline__ const T* row(const LayerShape& shape, const T* x, int v) const {
    return x + std::int64_t{min(v, static_cast<int>(shape.pixels()) - 1)} * shape.channels;
  }

  float sums_[2][kVectors] = {};
};

// Rows 16 row_block and the following: their sums are made and finished by all threads of the
// block.
template <class T, int kVectors, bool kEven, Loads kLoads>
__device__ __forceinline__ void gemv_rows(const LayerShape& shape, const LayerData& data,
                                          int row_block) {
  const int blocks = shape.order.blocks();
  const int warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp, warps = blockDim.x / kWarp;
  const auto* words =
      reinterpret_cast<const uint4*>(data.bits) + std::int64_t{row_block} * blocks * kWarp + lane;
  const auto* x = static_cast<const T*>(data.x);

  RowSums<T, kVectors, kEven, kLoads> sums;
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
    const int v = i / kBlockRows, r = row_block * kBlockRows + i % kBlockRows;
    float sum = 0;
    for (int w = 0; w < warps; ++w) sum += shared[w * kVectors * kBlockRows + i];
    if (r < shape.rows && v < shape.pixels()) finish_row<T>(shape, data, v, r, sum);
  }
}

}  // namespace tbn::cuda
