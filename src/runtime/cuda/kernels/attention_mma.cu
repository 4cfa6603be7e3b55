// Attention on tensor cores (Dao et al. 2022): a warp keeps 16 queries of a head in registers and
// goes over the keys 64 at a time, with the largest score and the sum of the exponentials of each
// query so far; neither scores nor weights leave its registers. The warps of a block share the keys
// and values, which come through shared memory, the next ones while these are used.
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "runtime/cuda/device/launch.h"
#include "runtime/cuda/device/precision.h"
#include "runtime/cuda/device/ptx.h"
#include "runtime/cuda/kernels/attention.h"

namespace tbn::cuda {
namespace attention {

constexpr int kWarpQueries = 16, kTileKeys = 64, kKeyGroups = kTileKeys / 16;
constexpr int kMostWarps = 8, kMostWidth = 128;
constexpr float kLog2E = 1.44269504f;
// The least a largest score can be: where all keys so far are hidden, it and they must differ by
// less than infinity.
constexpr float kLeastScore = -1e30f;

// Rows of shared memory: an odd number of 16 bytes apart, so that the eight of a matrix of ldmatrix
// are in different banks.
constexpr int row_bytes(int width) { return width * 2 + 16; }
constexpr int tile_bytes(int width) { return kTileKeys * row_bytes(width); }
// Two tiles of keys and two of values; at the end, the outputs of all warps. After them, the places
// of a window's tokens.
constexpr int tiles_bytes(int width) { return 4 * tile_bytes(width); }
static_assert(kMostWarps * kWarpQueries <= 4 * kTileKeys);

__device__ __forceinline__ int lane_id() { return static_cast<int>(threadIdx.x) % kWarp; }

template <class T>
__device__ __forceinline__ std::uint32_t pack(float low, float high) {
  const T pair[2] = {from_float<T>(low), from_float<T>(high)};
  std::uint32_t packed;
  std::memcpy(&packed, pair, sizeof(packed));
  return packed;
}

// Over the four lanes that hold one query's row of a fragment.
__device__ __forceinline__ float quad_max(float x) {
  x = fmaxf(x, __shfl_xor_sync(~0u, x, 1));
  return fmaxf(x, __shfl_xor_sync(~0u, x, 2));
}
__device__ __forceinline__ float quad_sum(float x) {
  x += __shfl_xor_sync(~0u, x, 1);
  return x + __shfl_xor_sync(~0u, x, 2);
}

// What a block computes: a head of the tokens of one sequence or window.
struct Sequence {
  int head;
  std::int64_t image;
  int first_y, first_x;  // of the window, in the rolled image
};
template <bool kWindows>
__device__ __forceinline__ Sequence sequence_at(const AttentionShape& shape) {
  const int head = static_cast<int>(blockIdx.x) % shape.heads;
  const int sequence = static_cast<int>(blockIdx.x) / shape.heads;
  if constexpr (!kWindows) return {head, sequence, 0, 0};
  const int window = sequence % shape.windows(), across = shape.grid_w / shape.window;
  return {head, sequence / shape.windows(), window / across * shape.window,
          window % across * shape.window};
}

// Token i among all tokens of the batch.
template <bool kWindows>
__device__ __forceinline__ std::int64_t token_at(const AttentionShape& shape,
                                                 const Sequence& sequence, int i) {
  if constexpr (!kWindows) return sequence.image * shape.tokens + i;
  const int y = (sequence.first_y + i / shape.window + shape.shift) % shape.grid_h;
  const int x = (sequence.first_x + i % shape.window + shape.shift) % shape.grid_w;
  return (sequence.image * shape.grid_h + y) * shape.grid_w + x;
}

// Places of a window's tokens: the difference of two places, without their regions, tells the
// offset of the tokens. Tokens of different regions became neighbours only by the roll.
constexpr int kRegionShift = 24, kPlaceMask = (1 << kRegionShift) - 1;

__device__ __forceinline__ void list_places(const AttentionShape& shape, const Sequence& sequence,
                                            int* places) {
  for (int i = static_cast<int>(threadIdx.x); i < shape.tokens; i += static_cast<int>(blockDim.x)) {
    const int y = i / shape.window, x = i % shape.window;
    const int below = sequence.first_y + y >= shape.grid_h - shape.shift ? 2 : 0;
    const int beyond = sequence.first_x + x >= shape.grid_w - shape.shift ? 1 : 0;
    const int region = shape.shift == 0 ? 0 : below + beyond;
    places[i] = region << kRegionShift | (y * (2 * shape.window - 1) + x);
  }
}

// Begins to load tile `index` of keys or values; tokens that do not exist are zero, because weights
// of zero multiply them too.
template <class T, int kWidth, bool kWindows>
__device__ __forceinline__ void load_tile(const AttentionShape& shape, const Sequence& sequence,
                                          const void* from, int index, unsigned char* tile) {
  constexpr int kPieces = kWidth / 8;
  const int first = index * kTileKeys;
  // Whole groups of 16 keys that do not exist are left out where the tile is used.
  const int rows = min(kTileKeys, (shape.tokens - first + 15) / 16 * 16);
  for (int i = static_cast<int>(threadIdx.x); i < rows * kPieces;
       i += static_cast<int>(blockDim.x)) {
    const int row = i / kPieces, piece = i % kPieces;
    const bool there = first + row < shape.tokens;
    const std::int64_t token = token_at<kWindows>(shape, sequence, there ? first + row : 0);
    ptx::copy_async_16(tile + row * row_bytes(kWidth) + piece * 16,
                       static_cast<const T*>(from) + token * shape.input_stride +
                           sequence.head * kWidth + piece * 8,
                       there);
  }
}

// The state of a warp; a lane has rows g = lane / 4 and g + 8 of its 16 queries.
template <int kWidth>
struct Warp {
  std::uint32_t queries[kWidth / 16][4];
  float sums[kWidth / 8][4] = {};  // of weighted values
  float largest[2] = {kLeastScore, kLeastScore};
  float total[2] = {};  // of the weights, this lane's part
};

// Operand A of the products with keys, see ptx::mma_16x8x16. Queries that do not exist are those of
// the last token.
template <class T, int kWidth, bool kWindows>
__device__ __forceinline__ void load_queries(const AttentionShape& shape, const Sequence& sequence,
                                             const void* from, int first, Warp<kWidth>& warp) {
  const int g = lane_id() / 4, t = lane_id() % 4;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const std::int64_t token =
        token_at<kWindows>(shape, sequence, min(first + g + 8 * half, shape.tokens - 1));
    const T* row =
        static_cast<const T*>(from) + token * shape.input_stride + sequence.head * kWidth + 2 * t;
#pragma unroll
    for (int i = 0; i < kWidth / 8; ++i) {
      warp.queries[i / 2][i % 2 * 2 + half] =
          __ldg(reinterpret_cast<const std::uint32_t*>(row + 8 * i));
    }
  }
}

// Scores of 16 queries and the tile's keys, in units of log2(e): two fragments of 8 keys per group.
template <class T, int kWidth>
__device__ __forceinline__ void score(const Warp<kWidth>& warp, const unsigned char* keys,
                                      int existing, float scale,
                                      float (&scores)[2 * kKeyGroups][4]) {
  const int lane = lane_id(), t = lane % 4;
  const unsigned char* row =
      keys + (lane / 16 * 8 + lane % 8) * row_bytes(kWidth) + lane / 8 % 2 * 16;
#pragma unroll
  for (int group = 0; group < kKeyGroups; ++group) {
    float(&left)[4] = scores[2 * group], (&right)[4] = scores[2 * group + 1];
#pragma unroll
    for (int i = 0; i < 4; ++i) left[i] = right[i] = 0;
    if (group * 16 < existing) {
#pragma unroll
      for (int step = 0; step < kWidth / 16; ++step) {
        std::uint32_t b[4];
        ptx::ldmatrix_x4(b, row + group * 16 * row_bytes(kWidth) + step * 32);
        ptx::mma_16x8x16<T>(left, warp.queries[step], b[0], b[1]);
        ptx::mma_16x8x16<T>(right, warp.queries[step], b[2], b[3]);
      }
    }
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int key = group * 16 + 2 * t + i % 2;
      left[i] = key < existing ? left[i] * scale : -INFINITY;
      right[i] = key + 8 < existing ? right[i] * scale : -INFINITY;
    }
  }
}

// Adds the bias of a window's tokens to their scores, and hides other regions. `places` are those
// of all tokens, the tile's begin at `first_key`.
__device__ __forceinline__ void adjust(const AttentionShape& shape, const float* bias,
                                       const int* places, int first_query, int first_key,
                                       float (&scores)[2 * kKeyGroups][4]) {
  const int g = lane_id() / 4, t = lane_id() % 4;
  const int middle = (shape.window - 1) * 2 * shape.window;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int query = places[min(first_query + g + 8 * half, shape.tokens - 1)];
#pragma unroll
    for (int n = 0; n < 2 * kKeyGroups; ++n) {
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        const int j = first_key + 8 * n + 2 * t + i;
        if (j >= shape.tokens) continue;
        const int key = places[j];
        float& value = scores[n][2 * half + i];
        if (query >> kRegionShift != key >> kRegionShift) {
          value = -INFINITY;
        } else if (bias != nullptr) {
          const int offset = (query & kPlaceMask) - (key & kPlaceMask) + middle;
          value += kLog2E * __ldg(bias + std::int64_t{offset} * shape.heads);
        }
      }
    }
  }
}

// Turns scores into weights 2^(score - largest so far), and what was summed for a smaller largest
// score into what it would be for this one.
template <int kWidth>
__device__ __forceinline__ void weigh(Warp<kWidth>& warp, float (&scores)[2 * kKeyGroups][4]) {
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    float largest = warp.largest[half];
#pragma unroll
    for (auto& fragment : scores) {
      largest = fmaxf(largest, fmaxf(fragment[2 * half], fragment[2 * half + 1]));
    }
    largest = quad_max(largest);
    const float factor = ptx::exp2_flushed(warp.largest[half] - largest);
    warp.largest[half] = largest;
    warp.total[half] *= factor;
#pragma unroll
    for (auto& fragment : warp.sums) {
      fragment[2 * half] *= factor;
      fragment[2 * half + 1] *= factor;
    }
#pragma unroll
    for (auto& fragment : scores) {
#pragma unroll
      for (int i = 2 * half; i < 2 * half + 2; ++i) {
        fragment[i] = ptx::exp2_flushed(fragment[i] - largest);
        warp.total[half] += fragment[i];
      }
    }
  }
}

// Adds the weighted values. The sums of a product m16n8k16 lie in a warp as the left operand of the
// next does: two fragments of 8 keys are one operand of 16.
template <class T, int kWidth>
__device__ __forceinline__ void add_values(Warp<kWidth>& warp, const unsigned char* values,
                                           int existing,
                                           const float (&weights)[2 * kKeyGroups][4]) {
  const int lane = lane_id();
  const unsigned char* row = values + lane % 16 * row_bytes(kWidth) + lane / 16 * 16;
#pragma unroll
  for (int group = 0; group < kKeyGroups; ++group) {
    if (group * 16 >= existing) break;
    std::uint32_t a[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float* pair = weights[2 * group + i / 2] + i % 2 * 2;
      a[i] = pack<T>(pair[0], pair[1]);
    }
#pragma unroll
    for (int column = 0; column < kWidth / 16; ++column) {
      std::uint32_t b[4];
      ptx::ldmatrix_x4_trans(b, row + group * 16 * row_bytes(kWidth) + column * 32);
      ptx::mma_16x8x16<T>(warp.sums[2 * column], a, b[0], b[1]);
      ptx::mma_16x8x16<T>(warp.sums[2 * column + 1], a, b[2], b[3]);
    }
  }
}

// Divides by the sum of the weights and stores 16 bytes at a time, by way of the warp's own part of
// shared memory.
template <class T, int kWidth, bool kWindows>
__device__ __forceinline__ void store(const AttentionShape& shape, const Sequence& sequence,
                                      const Warp<kWidth>& warp, void* y, int first,
                                      unsigned char* rows) {
  const int lane = lane_id(), g = lane / 4, t = lane % 4;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const float factor = 1.0f / quad_sum(warp.total[half]);
    unsigned char* row = rows + (g + 8 * half) * row_bytes(kWidth) + 4 * t;
#pragma unroll
    for (int i = 0; i < kWidth / 8; ++i) {
      *reinterpret_cast<std::uint32_t*>(row + 16 * i) =
          pack<T>(warp.sums[i][2 * half] * factor, warp.sums[i][2 * half + 1] * factor);
    }
  }
  __syncwarp();
  constexpr int kPieces = kWidth / 8;
  for (int i = lane; i < kWarpQueries * kPieces; i += kWarp) {
    const int row = i / kPieces, piece = i % kPieces;
    if (first + row >= shape.tokens) break;
    T* to = static_cast<T*>(y) +
            token_at<kWindows>(shape, sequence, first + row) * shape.output_stride +
            sequence.head * kWidth + piece * 8;
    *reinterpret_cast<uint4*>(to) =
        *reinterpret_cast<const uint4*>(rows + row * row_bytes(kWidth) + piece * 16);
  }
}

// Wide heads need more registers than two blocks of all warps have, and so do windows.
template <class T, int kWidth, bool kWindows>
__global__ void __launch_bounds__(kMostWarps* kWarp, kWidth > (kWindows ? 48 : 80) ? 1 : 2)
    attention_mma(AttentionShape shape, AttentionData data) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  auto* shared = shared_memory<unsigned char>();
  const auto keys = [&](int tile) { return shared + tile % 2 * 2 * tile_bytes(kWidth); };
  const auto values = [&](int tile) { return keys(tile) + tile_bytes(kWidth); };
  auto* places = reinterpret_cast<int*>(shared + tiles_bytes(kWidth));
  const Sequence sequence = sequence_at<kWindows>(shape);
  const int warp_id = static_cast<int>(threadIdx.x) / kWarp;
  const int first = (static_cast<int>(blockIdx.y * blockDim.x) / kWarp + warp_id) * kWarpQueries;
  const int tiles = (shape.tokens + kTileKeys - 1) / kTileKeys;
  const auto load = [&](int tile) {
    if (tile < tiles) {
      load_tile<T, kWidth, kWindows>(shape, sequence, data.keys, tile, keys(tile));
      load_tile<T, kWidth, kWindows>(shape, sequence, data.values, tile, values(tile));
    }
    ptx::commit_copies();
  };
  load(0);
  Warp<kWidth> warp;
  load_queries<T, kWidth, kWindows>(shape, sequence, data.queries, first, warp);
  if constexpr (kWindows) list_places(shape, sequence, places);
  const float* bias = data.relative_bias == nullptr ? nullptr : data.relative_bias + sequence.head;
  for (int tile = 0; tile < tiles; ++tile) {
    load(tile + 1);
    ptx::wait_copies<1>();
    __syncthreads();
    const int existing = shape.tokens - tile * kTileKeys;
    float scores[2 * kKeyGroups][4];
    score<T, kWidth>(warp, keys(tile), existing, shape.scale * kLog2E, scores);
    if constexpr (kWindows) adjust(shape, bias, places, first, tile * kTileKeys, scores);
    weigh(warp, scores);
    add_values<T, kWidth>(warp, values(tile), existing, scores);
    __syncthreads();
  }
  store<T, kWidth, kWindows>(shape, sequence, warp, data.y, first,
                             shared + warp_id * kWarpQueries * row_bytes(kWidth));
#endif
}

}  // namespace attention

namespace {

using namespace attention;
using Kernel = void (*)(AttentionShape, AttentionData);

template <class T, bool kWindows>
Kernel kernel(int width) {
  static constexpr auto kAll = []<int... kIndices>(std::integer_sequence<int, kIndices...>) {
    return std::array<Kernel, sizeof...(kIndices)>{
        attention_mma<T, 16 * (kIndices + 1), kWindows>...};
  }
  (std::make_integer_sequence<int, kMostWidth / 16>{});
  return kAll[static_cast<std::size_t>(width / 16 - 1)];
}

template <class T>
Kernel kernel(const AttentionShape& shape) {
  return shape.window > 0 ? kernel<T, true>(shape.width) : kernel<T, false>(shape.width);
}

int shared_bytes(const AttentionShape& shape) {
  return tiles_bytes(shape.width) + (shape.window > 0 ? shape.tokens * 4 : 0);
}

bool is_aligned(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer) % 16 == 0; }

}  // namespace

bool attention_mma_computes(const AttentionShape& shape, const AttentionData& data,
                            Precision precision, const Context& context) {
  return context.device().capability >= 80 && precision != Precision::kFp32 && shape.tokens > 0 &&
         shape.width > 0 && shape.width % 16 == 0 && shape.width <= kMostWidth &&
         shape.input_stride % 8 == 0 && shape.output_stride % 8 == 0 && is_aligned(data.queries) &&
         is_aligned(data.keys) && is_aligned(data.values) && is_aligned(data.y) &&
         shared_bytes(shape) <= context.device().shared_bytes;
}

void launch_attention_mma(const AttentionShape& shape, const AttentionData& data,
                          Precision precision, const Context& context, cudaStream_t stream) {
  // Blocks of as many queries as each other, and of fewer where there are fewer blocks than
  // multiprocessors.
  const int all_warps = (shape.tokens + kWarpQueries - 1) / kWarpQueries;
  const std::int64_t heads = std::int64_t{shape.batch} * shape.windows() * shape.heads;
  int blocks = (all_warps + kMostWarps - 1) / kMostWarps;
  while (heads * blocks < context.device().multiprocessors && blocks < all_warps) ++blocks;
  const int warps = (all_warps + blocks - 1) / blocks;
  blocks = (all_warps + warps - 1) / warps;
  const Kernel chosen =
      precision == Precision::kFp16 ? kernel<__half>(shape) : kernel<__nv_bfloat16>(shape);
  launch("attention_mma", chosen,
         {.blocks = dim3(static_cast<unsigned>(heads), static_cast<unsigned>(blocks)),
          .threads = static_cast<unsigned>(warps * kWarp),
          .shared_bytes = static_cast<std::size_t>(shared_bytes(shape))},
         stream, shape, data);
}

}  // namespace tbn::cuda
