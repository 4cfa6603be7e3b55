// The inner parts of the kernel "mma": x to shared memory, bits to operands, products.
#pragma once

#include <cmath>
#include <cstring>
#include <type_traits>

#include "runtime/cuda/device/ptx.h"
#include "runtime/cuda/kernels/mma_plan.h"
#include "runtime/cuda/layer/weights.h"

namespace tbn::cuda::mma {

// What the tensor cores multiply where x is of type T, and columns of it that a pixel takes.
template <class T>
using Operand = std::conditional_t<std::is_same_v<T, float>, __nv_bfloat16, T>;
template <class T>
inline constexpr int kColumns = std::is_same_v<T, float> ? 3 : 1;

// Where the window of a pixel begins, which may be in the padding.
struct alignas(16) WindowBegin {
  std::int64_t at;  // in x
  int y, x;
};

__device__ __forceinline__ WindowBegin window_begin(const LayerShape& shape, std::int64_t m) {
  if (shape.is_linear()) return {m * shape.channels, 0, 0};
  const Pixel pixel = pixel_at(shape, m);
  const int y = pixel.y * shape.stride_h - shape.padding_h;
  const int x = pixel.x * shape.stride_w - shape.padding_w;
  return {((std::int64_t{pixel.image} * shape.in_h + y) * shape.in_w + x) * shape.channels, y, x};
}

// Where input k of a row is met, counted from there.
struct InputPlace {
  std::int64_t at;
  int y, x;
  bool exists;  // and does not only fill a tap or a row up
};

__device__ __forceinline__ InputPlace input_place(const LayerShape& shape, int k) {
  const InputOrder& order = shape.order;
  if (order.taps == 1) return {k, 0, 0, k < order.channels};
  const int tap = k / order.tap_inputs, channel = k % order.tap_inputs;
  const int y = tap / shape.kernel_w, x = tap % shape.kernel_w;
  return {(std::int64_t{y} * shape.in_w + x) * shape.channels + channel, y, x,
          tap < order.taps && channel < order.channels};
}

__device__ __forceinline__ bool in_image(const LayerShape& shape, const WindowBegin& window,
                                         const InputPlace& input) {
  // Without branches: & of all answers.
  return input.exists & (static_cast<unsigned>(window.y + input.y) < unsigned(shape.in_h)) &
         (static_cast<unsigned>(window.x + input.x) < unsigned(shape.in_w));
}

// Where 8 inputs of a pixel lie in a stage. Pieces of 16 bytes change places, so that those of 8
// pixels, which one matrix of ldmatrix takes, are in different banks.
template <int kIndex>
__device__ __forceinline__ int stage_offset(int group, int pixel, int piece) {
  constexpr MmaTile kTile = kMmaTiles[kIndex];
  return (group * kTile.pixels() + pixel) * kTile.step * 2 + (piece ^ (pixel & 7)) * 16;
}

// The pixels of a block.
template <class T>
struct Source {
  const T* x;
  const T* first;  // null, or of a linear layer the inputs of the first pixel
  const WindowBegin* windows;
  int pixels;
};

// What a thread loads of a stage: 8 inputs, k and on, of every kPixelStep-th pixel. Each group
// loads what it multiplies.
template <int kIndex>
struct StagePart {
  static constexpr int kPieces = kMmaTiles[kIndex].step / 8;
  static constexpr int kPixelStep = kMmaTiles[kIndex].group_threads() / kPieces;
  unsigned char* stage;
  int k, group, piece, first_pixel;

  __device__ __forceinline__ unsigned char* place(int pixel) const {
    return stage + stage_offset<kIndex>(group, pixel, piece);
  }
  __device__ __forceinline__ void store(int pixel, const std::uint32_t (&packed)[4]) const {
    *reinterpret_cast<uint4*>(place(pixel)) = {packed[0], packed[1], packed[2], packed[3]};
  }
};

// Values one by one, where they do not come in aligned pieces.
template <class T, int kIndex>
__device__ void load_values(const LayerShape& shape, const Source<T>& source,
                            const StagePart<kIndex>& part) {
  InputPlace inputs[8];
#pragma unroll
  for (int i = 0; i < 8; ++i) inputs[i] = input_place(shape, part.k + i);
  for (int m = part.first_pixel; m < source.pixels; m += part.kPixelStep) {
    const WindowBegin window = source.windows[m];
    std::uint32_t packed[4] = {};
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      if (!in_image(shape, window, inputs[i])) continue;
      const T value = source.x[window.at + inputs[i].at];
      std::uint16_t bits;
      std::memcpy(&bits, &value, sizeof(bits));
      packed[i / 2] |= std::uint32_t{bits} << 16 * (i % 2);
    }
    part.store(m, packed);
  }
}

// x is exactly the sum of its nearest bf16, the one nearest to the rest and the one nearest to what
// is left then: 8 bits each. They are three columns.
template <int kIndex>
__device__ void load_floats(const LayerShape& shape, const Source<float>& source,
                            const StagePart<kIndex>& part) {
  for (int m = part.first_pixel; m < source.pixels; m += part.kPixelStep) {
    const WindowBegin window = source.windows[m];
    std::uint32_t packed[3][4] = {};
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      const InputPlace input = input_place(shape, part.k + i);
      float rest = in_image(shape, window, input) ? source.x[window.at + input.at] : 0;
#pragma unroll
      for (int third = 0; third < 3; ++third) {
        const __nv_bfloat16 value = from_float<__nv_bfloat16>(rest);
        // An infinite value, or one that is no number, leaves no rest.
        rest = fabsf(to_float(value)) < INFINITY ? rest - to_float(value) : 0.0f;
        packed[third][i / 2] |= std::uint32_t{__bfloat16_as_ushort(value)} << 16 * (i % 2);
      }
    }
#pragma unroll
    for (int third = 0; third < 3; ++third) part.store(3 * m + third, packed[third]);
  }
}

// Aligned pieces of 8 inputs, which are all of one tap.
template <class T, int kIndex>
__device__ __forceinline__ void load_pieces(const LayerShape& shape, const Source<T>& source,
                                            const StagePart<kIndex>& part) {
  // Few pixels are left out by most threads: no loop of several at a time for them.
  [[maybe_unused]] constexpr int kUnroll = kMmaTiles[kIndex].pixels() > 16 ? 4 : 1;
  if (source.first != nullptr) {
    const bool there = part.k < shape.channels;
    const T* from = source.first + (there ? part.k : 0);
#pragma unroll kUnroll
    for (int m = part.first_pixel; m < source.pixels; m += part.kPixelStep) {
      ptx::copy_async_16(part.place(m), from + std::int64_t{m} * shape.channels, there);
    }
    return;
  }
  const InputPlace input = input_place(shape, part.k);
#pragma unroll kUnroll
  for (int m = part.first_pixel; m < source.pixels; m += part.kPixelStep) {
    const WindowBegin window = source.windows[m];
    const bool there = in_image(shape, window, input);
    // Other taps will meet the same values.
    ptx::copy_async_16_by_l1(part.place(m), source.x + (there ? window.at + input.at : 0), there);
  }
}

// Begins to load inputs `sub` * step .. of the group's one of blocks first .. first + groups, where
// it is below `last`. Rows of pixels that do not exist are left: what they hold only reaches sums
// that nobody stores.
template <class T, int kIndex, bool kWhole>
__device__ __forceinline__ void load_stage(const LayerShape& shape, const Source<T>& source,
                                           unsigned char* stage, int first, int last, int sub) {
  constexpr MmaTile kTile = kMmaTiles[kIndex];
  constexpr int kPieces = StagePart<kIndex>::kPieces;
  const int group = static_cast<int>(threadIdx.x) / kTile.group_threads();
  const int thread = static_cast<int>(threadIdx.x) % kTile.group_threads();
  const int begin = (first + group) * kBlockInputs + sub * kTile.step;
  if (first + group >= last || begin >= shape.order.inputs()) return;
  const StagePart<kIndex> part = {stage, begin + thread % kPieces * 8, group, thread % kPieces,
                                  thread / kPieces};
  if constexpr (std::is_same_v<T, float>) {
    load_floats(shape, source, part);
  } else if constexpr (kWhole) {
    load_pieces(shape, source, part);
  } else {
    load_values(shape, source, part);
  }
}

template <class T>
inline constexpr std::uint32_t kMinusOnes = std::is_same_v<T, __half> ? 0xBC00BC00u : 0xBF80BF80u;

// Two weights as values: the word's bits `bit` and `bit + 16` become signs, and a set bit is +1.
// `minus_ones` must not be known to the compiler: an instruction holds one constant, and a second
// one would cost another instruction.
__device__ __forceinline__ std::uint32_t expand(std::uint32_t word, int bit,
                                                std::uint32_t minus_ones) {
  return (word << (15 - bit) & 0x80008000u) ^ minus_ones;
}

// Where the warps of a group wait for each other; groups need not wait for others.
template <int kIndex>
__device__ __forceinline__ void group_barrier(int group) {
  constexpr MmaTile kTile = kMmaTiles[kIndex];
  if constexpr (kTile.groups == 1) {
    __syncthreads();
  } else if constexpr (kTile.group_threads() == kWarp) {
    __syncwarp();
  } else {
    ptx::named_barrier(1 + group, kTile.group_threads());
  }
}

// Sums of a warp. Where they are few, products take turns between several of them, which do not
// wait for each other.
template <int kIndex>
struct Sums {
  static constexpr MmaTile kTile = kMmaTiles[kIndex];
  static constexpr int kRowTiles = kTile.row_tiles, kFragments = kTile.fragments;
  static constexpr int kChains = kRowTiles * kFragments >= 4 ? 1 : 4 / (kRowTiles * kFragments);
  float of[kChains][kRowTiles][kFragments][4] = {};
};

// 256 inputs of a warp's rows.
template <int kIndex>
struct Bits {
  std::uint32_t words[kMmaTiles[kIndex].row_tiles][4];

  // Past the last 16 rows others are loaded, whose sums nobody stores.
  __device__ __forceinline__ void load(const LayerData& data, const LayerShape& shape,
                                       int first_row_tile, int block) {
    const int blocks = shape.order.blocks();
    const int last_row_tile = (shape.rows - 1) / kBlockRows;
#pragma unroll
    for (int i = 0; i < kMmaTiles[kIndex].row_tiles; ++i) {
      const std::int64_t at = std::int64_t{min(first_row_tile + i, last_row_tile)} * blocks + block;
      const uint4 loaded = __ldg(reinterpret_cast<const uint4*>(data.bits) + at * kWarp +
                                 static_cast<int>(threadIdx.x) % kWarp);
      words[i][0] = loaded.x;
      words[i][1] = loaded.y;
      words[i][2] = loaded.z;
      words[i][3] = loaded.w;
    }
  }
};

// Where a lane's row of the first matrix of ldmatrix lies in a stage: with one fragment of pixels
// four matrices are its 32 inputs, with more they are two fragments of 16 inputs.
template <int kIndex>
__device__ __forceinline__ int operand_offset(int group, int pixel_warp) {
  constexpr MmaTile kTile = kMmaTiles[kIndex];
  const int lane = static_cast<int>(threadIdx.x) % kWarp, matrix = lane / 8;
  const int pixel = pixel_warp * kTile.fragments * 8 + lane % 8;
  if constexpr (kTile.fragments == 1) return stage_offset<kIndex>(group, pixel, matrix);
  return stage_offset<kIndex>(group, pixel + matrix / 2 * 8, matrix % 2);
}

// Adds the products of one stage, inputs `sub` * step .. of the 256. `x` is the stage; other inputs
// of a pixel are found from operand_offset by exclusive or, as they were stored.
template <class T, int kIndex>
__device__ __forceinline__ void multiply_stage(Sums<kIndex>& sums, const Bits<kIndex>& bits,
                                               int sub, const unsigned char* x, int offset,
                                               std::uint32_t minus_ones) {
  constexpr MmaTile kTile = kMmaTiles[kIndex];
  constexpr int kSteps = kTile.step / 16, kFragments = kTile.fragments;
  std::uint32_t b[kFragments < 2 ? 1 : kFragments / 2][4];
#pragma unroll
  for (int s = 0; s < kSteps; ++s) {
    if (kFragments > 1 || s % 2 == 0) {
#pragma unroll
      for (int i = 0; i < (kFragments + 1) / 2; ++i) {
        ptx::ldmatrix_x4(b[i], x + (offset ^ s * 32) + i * 16 * kTile.step * 2);
      }
    }
    const int step = sub * kSteps + s;  // of 16
    const int chain = s % Sums<kIndex>::kChains;
#pragma unroll
    for (int r = 0; r < kTile.row_tiles; ++r) {
      const std::uint32_t* words = bits.words[r] + step / 8 * 2;
      const int bit = step % 8 * 2;
      std::uint32_t a[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) a[i] = expand(words[i % 2], bit + i / 2, minus_ones);
#pragma unroll
      for (int n = 0; n < kFragments; ++n) {
        const int pair = kFragments == 1 ? s % 2 * 2 : n % 2 * 2;
        ptx::mma_16x8x16<Operand<T>>(sums.of[chain][r][n], a, b[n / 2][pair], b[n / 2][pair + 1]);
      }
    }
  }
}

}  // namespace tbn::cuda::mma
