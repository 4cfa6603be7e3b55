// The rung of convolutions of few channels, whose taps do not come in pieces of 8: a block loads
// all that a patch of pixels reaches to shared memory once, and gathers the operands of m16n8k16
// from there, two values at a time, by a table that says where an input lies. The weights of its
// rows wait in shared memory as values, whichever form they are stored in, while the block goes
// from patch to patch.
#include <algorithm>
#include <cstring>

#include "runtime/cuda/device/launch.h"
#include "runtime/cuda/device/precision.h"
#include "runtime/cuda/kernels/layer_kernels.h"
#include "runtime/cuda/kernels/mma_finish.h"
#include "runtime/cuda/kernels/mma_tile.h"

namespace tbn::cuda {
namespace stem {

using mma::TileBounds;

constexpr int kMostChannels = 8;
constexpr int kWarps = 4, kThreads = kWarps * kWarp;
// A warp takes two lines of 16 pixels: four fragments of 8.
constexpr int kPatchH = 8, kPatchW = 16, kFragments = 4;
constexpr int kMostRowTiles = 4;  // of 16 rows, in a block
constexpr int kMostResident = 4;  // blocks of a multiprocessor
static_assert(kPatchH * kPatchW == kWarps * kFragments * 8);

constexpr int divide_up(int a, int b) { return (a + b - 1) / b; }

// How one launch cuts a layer, and the shared memory of a block.
struct Cut {
  int row_tiles;             // of a block
  int patches_w, patches_h;  // of an image
  std::int64_t patches;      // of all
  int steps;                 // of 16 inputs; those beyond the last are zeros
  int reach_h, reach_w;      // of a patch, in pixels of x
  int values;                // of a patch
  int zeros;                 // after them, where inputs beyond the last lie for every pixel
  std::uint32_t minus_ones;  // mma::kMinusOnes
  bool wide;                 // see mma::writes_wide

  // An odd number of 16 bytes, so that the rows of a matrix of ldmatrix are in different banks.
  __host__ __device__ int weight_stride() const { return steps * 16 + 8; }
  __host__ __device__ int rows() const { return 16 * row_tiles; }
  __host__ __device__ int weight_bytes() const { return rows() * weight_stride() * 2; }
  __host__ __device__ int table_bytes() const { return steps * 32; }
  __host__ __device__ int sum_bytes() const { return kWarps * 8 * (rows() + 4) * 4; }
  __host__ __device__ int patch_bytes() const { return (values + zeros) * 2; }
  __host__ __device__ int shared_bytes() const {
    return weight_bytes() + table_bytes() + sum_bytes() + patch_bytes();
  }
};

Cut cut_of(const LayerShape& shape) {
  Cut cut{};
  cut.row_tiles = std::min(kMostRowTiles, divide_up(shape.rows, 16));
  if (cut.row_tiles == 3) cut.row_tiles = 4;
  cut.patches_w = divide_up(shape.out_w, kPatchW);
  cut.patches_h = divide_up(shape.out_h, kPatchH);
  cut.patches = std::int64_t{shape.batch} * cut.patches_h * cut.patches_w;
  cut.steps = divide_up(shape.order.inputs(), 16);
  cut.reach_h = (kPatchH - 1) * shape.stride_h + shape.kernel_h;
  cut.reach_w = (kPatchW - 1) * shape.stride_w + shape.kernel_w;
  cut.values = cut.reach_h * cut.reach_w * shape.channels;
  cut.zeros = ((kPatchH - 1) * shape.stride_h * cut.reach_w + (kPatchW - 1) * shape.stride_w) *
                  shape.channels +
              1;
  return cut;
}

// A block's rows of weights, [row][input], zeros beyond the last of either.
template <class T>
__device__ __forceinline__ void load_weights(const LayerShape& shape, const LayerData& data,
                                             const Cut& cut, int first_row, T* weights) {
  const int inputs = shape.order.inputs(), pairs = cut.steps * 8;
  for (int i = static_cast<int>(threadIdx.x); i < cut.rows() * pairs; i += kThreads) {
    const int row = i / pairs, k = (i - row * pairs) * 2, r = first_row + row;
    std::uint32_t packed = 0;
    if (r < shape.rows && k < inputs) {
      if (shape.form == WeightForm::kTile) {
        // The weight of the next input is 16 bits above.
        const BitPlace place = bit_place(r, k, shape.order.blocks());
        packed = mma::expand(data.bits[place.word], place.bit, cut.minus_ones);
        if (k + 1 == inputs) packed &= 0xffffu;
      } else {
        const T* from = static_cast<const T*>(data.weights) + std::int64_t{r} * inputs + k;
        const T pair[2] = {from[0], k + 1 < inputs ? from[1] : from_float<T>(0)};
        std::memcpy(&packed, pair, sizeof(packed));
      }
    }
    *reinterpret_cast<std::uint32_t*>(weights + row * cut.weight_stride() + k) = packed;
  }
}

// Where in a patch, counted from a pixel's window, the inputs of a lane's operands lie: for step s
// and t = lane % 4 inputs 16 s + 2 t, the one after it, and those 8 further.
__device__ __forceinline__ void list_offsets(const LayerShape& shape, const Cut& cut,
                                             std::uint16_t* offsets) {
  for (int i = static_cast<int>(threadIdx.x); i < cut.steps * 16; i += kThreads) {
    const int k = i / 16 * 16 + i / 4 % 4 * 2 + i % 2 + i % 4 / 2 * 8;
    const int tap = k / shape.channels, channel = k - tap * shape.channels;
    const int y = tap / shape.kernel_w, x = tap - y * shape.kernel_w;
    const int at = (y * cut.reach_w + x) * shape.channels + channel;
    offsets[i] = static_cast<std::uint16_t>(tap < shape.order.taps ? at : cut.values);
  }
}

struct Patch {
  int image, y, x;  // of its first pixel
};
__device__ __forceinline__ Patch patch_at(const Cut& cut, std::int64_t i) {
  const int each = cut.patches_h * cut.patches_w;
  const int inside = static_cast<int>(i % each);
  return {static_cast<int>(i / each), inside / cut.patches_w * kPatchH,
          inside % cut.patches_w * kPatchW};
}

// All that the pixels of a patch reach, one warp per line; zeros in the padding.
template <class T>
__device__ __forceinline__ void load_patch(const LayerShape& shape, const LayerData& data,
                                           const Cut& cut, const Patch& patch, T* values) {
  const int warp = static_cast<int>(threadIdx.x) / kWarp,
            lane = static_cast<int>(threadIdx.x) % kWarp;
  const int line = cut.reach_w * shape.channels, image_line = shape.in_w * shape.channels;
  const int first = (patch.x * shape.stride_w - shape.padding_w) * shape.channels;
  for (int i = warp; i < cut.reach_h; i += kWarps) {
    const int y = patch.y * shape.stride_h - shape.padding_h + i;
    const bool there = y >= 0 && y < shape.in_h;
    const T* from = static_cast<const T*>(data.x) +
                    (std::int64_t{patch.image} * shape.in_h + (there ? y : 0)) * image_line;
#pragma unroll 4
    for (int j = lane; j < line; j += kWarp) {
      const bool inside = there && first + j >= 0 && first + j < image_line;
      values[i * line + j] = inside ? from[first + j] : from_float<T>(0);
    }
  }
}

template <class T>
__device__ __forceinline__ std::uint32_t gather(const T* window, std::uint32_t offsets) {
  const T pair[2] = {window[offsets & 0xffffu], window[offsets >> 16]};
  std::uint32_t packed;
  std::memcpy(&packed, pair, sizeof(packed));
  return packed;
}

// Adds the products of all inputs of a warp's pixels, whose windows of fragment n begin at
// windows[n] for the lane's pixel.
template <class T, int kRowTiles>
__device__ __forceinline__ void multiply(const Cut& cut, const T* weights, const uint2* offsets,
                                         const T* const (&windows)[kFragments],
                                         float (&sums)[kRowTiles][kFragments][4]) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp, t = lane % 4;
  const T* row = weights + lane % 16 * cut.weight_stride() + lane / 16 * 8;
#pragma unroll 1
  for (int s = 0; s < cut.steps; ++s) {
    const uint2 at = offsets[s * 4 + t];
    std::uint32_t a[kRowTiles][4];
#pragma unroll
    for (int r = 0; r < kRowTiles; ++r) {
      ptx::ldmatrix_x4(a[r], row + r * 16 * cut.weight_stride() + s * 16);
    }
#pragma unroll
    for (int n = 0; n < kFragments; ++n) {
      const std::uint32_t b0 = gather(windows[n], at.x), b1 = gather(windows[n], at.y);
#pragma unroll
      for (int r = 0; r < kRowTiles; ++r) ptx::mma_16x8x16<T>(sums[r][n], a[r], b0, b1);
    }
  }
}

// The outputs of 8 neighbouring pixels, m and on, of which `bounds.pixels` exist, by way of the
// warp's own part of shared memory, [pixel][row].
template <class T, int kRowTiles>
__device__ __forceinline__ void finish(const LayerShape& shape, const LayerData& data,
                                       const Cut& cut, const TileBounds& bounds,
                                       const float (&sums)[kRowTiles][kFragments][4], int fragment,
                                       float* stored) {
  constexpr int kStride = 16 * kRowTiles + 4;
  const int lane = static_cast<int>(threadIdx.x) % kWarp, g = lane / 4, t = lane % 4;
  __syncwarp();  // the fragment before it is read
#pragma unroll
  for (int r = 0; r < kRowTiles; ++r) {
#pragma unroll
    for (int n = 0; n < kFragments; ++n) {
      if (n != fragment) continue;
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        stored[(2 * t + i % 2) * kStride + r * 16 + g + i / 2 * 8] = sums[r][n][i];
      }
    }
  }
  __syncwarp();
  const int outputs = bounds.rows * shape.copies();
  const int each = cut.wide ? 8 : 1, pieces = outputs / each;
#pragma unroll 1
  for (int i = lane; i < bounds.pixels * pieces; i += kWarp) {
    const int pixel = i / pieces, o = (i - pixel * pieces) * each;
    const mma::OutputPlace place = mma::output_place(shape, bounds, o);
    const float* at = stored + pixel * kStride;
    if (!cut.wide) {
      finish_output<T>(shape, data, bounds.first_pixel + pixel, place.c, at[place.row]);
      continue;
    }
    float eight[8];
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      eight[j] = at[shape.row_step == 1 ? place.row + j : (o + j) / shape.row_step];
    }
    mma::finish_eight<T>(shape, data, bounds.first_pixel + pixel, place.c, eight);
  }
}

template <class T, int kRowTiles>
__global__ void __launch_bounds__(kThreads, kMostResident)
    stem_layer(LayerShape shape, LayerData data, Cut cut) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  auto* shared = shared_memory<unsigned char>();
  auto* weights = reinterpret_cast<T*>(shared);
  auto* offsets = reinterpret_cast<std::uint16_t*>(shared + cut.weight_bytes());
  const int warp = static_cast<int>(threadIdx.x) / kWarp,
            g = static_cast<int>(threadIdx.x) % kWarp / 4;
  auto* all_sums = reinterpret_cast<float*>(shared + cut.weight_bytes() + cut.table_bytes());
  float* stored = all_sums + warp * 8 * (16 * kRowTiles + 4);
  auto* values = reinterpret_cast<T*>(reinterpret_cast<unsigned char*>(all_sums) + cut.sum_bytes());
  TileBounds bounds;
  bounds.first_row = static_cast<int>(blockIdx.y) * 16 * kRowTiles;
  bounds.rows = min(16 * kRowTiles, shape.rows - bounds.first_row);

  load_weights(shape, data, cut, bounds.first_row, weights);
  list_offsets(shape, cut, offsets);
  for (int i = static_cast<int>(threadIdx.x); i < cut.zeros; i += kThreads) {
    values[cut.values + i] = from_float<T>(0);
  }
  for (std::int64_t p = blockIdx.x; p < cut.patches; p += gridDim.x) {
    const Patch patch = patch_at(cut, p);
    __syncthreads();  // nobody reads the patch before it any longer
    load_patch(shape, data, cut, patch, values);
    __syncthreads();
    const T* windows[kFragments];
#pragma unroll
    for (int n = 0; n < kFragments; ++n) {
      const int y = (warp * 2 + n / 2) * shape.stride_h, x = (n % 2 * 8 + g) * shape.stride_w;
      windows[n] = values + (y * cut.reach_w + x) * shape.channels;
    }
    float sums[kRowTiles][kFragments][4] = {};
    multiply<T, kRowTiles>(cut, weights, reinterpret_cast<const uint2*>(offsets), windows, sums);
#pragma unroll 1
    for (int n = 0; n < kFragments; ++n) {
      const int y = patch.y + warp * 2 + n / 2, x = patch.x + n % 2 * 8;
      bounds.pixels = y < shape.out_h ? min(8, shape.out_w - x) : 0;
      if (bounds.pixels <= 0) continue;
      bounds.first_pixel = (std::int64_t{patch.image} * shape.out_h + y) * shape.out_w + x;
      finish<T, kRowTiles>(shape, data, cut, bounds, sums, n, stored);
    }
  }
#endif
}

template <class T>
void run(const LayerTask& task, const Cut& cut, const Context& context) {
  // As many blocks as can run at once: each expands its weights once.
  const int resident = static_cast<int>(std::clamp<std::int64_t>(
      context.device().shared_bytes / (cut.shared_bytes() + 1024), 1, kMostResident));
  const std::int64_t most = std::int64_t{context.device().multiprocessors} * resident;
  const auto kernel = cut.row_tiles == 1   ? stem_layer<T, 1>
                      : cut.row_tiles == 2 ? stem_layer<T, 2>
                                           : stem_layer<T, kMostRowTiles>;
  launch("stem_layer", kernel,
         {.blocks = dim3(static_cast<unsigned>(std::min(cut.patches, most)),
                         static_cast<unsigned>(divide_up(task.shape.rows, cut.rows()))),
          .threads = kThreads,
          .shared_bytes = static_cast<std::size_t>(cut.shared_bytes())},
         task.stream, task.shape, task.data, cut);
}

}  // namespace stem

bool stem_computes(const LayerShape& shape, Precision precision, const Context& context) {
  const InputOrder& order = shape.order;
  const bool form = shape.form == WeightForm::kFloat ||
                    (shape.form == WeightForm::kTile && shape.tile_rows == shape.rows);
  if (context.device().capability < 80 || precision == Precision::kFp32 || !form) return false;
  if (shape.groups != 1 || order.taps < 2 || order.channels > stem::kMostChannels ||
      order.tap_inputs != order.channels || !mma::copies_lie_in_order(shape)) {
    return false;
  }
  // Sizes first that a sum of them might not hold.
  constexpr int kMostTaps = 32, kMostStride = 8;
  if (shape.kernel_h > kMostTaps || shape.kernel_w > kMostTaps || shape.stride_h > kMostStride ||
      shape.stride_w > kMostStride) {
    return false;
  }
  const stem::Cut cut = stem::cut_of(shape);
  return cut.values <= 0xffff && cut.patches > 0 &&
         stem::divide_up(shape.rows, cut.rows()) <= 0xffff &&
         cut.shared_bytes() <= context.device().shared_bytes;
}

void run_stem(const LayerTask& task, Context& context) {
  stem::Cut cut = stem::cut_of(task.shape);
  cut.wide = mma::writes_wide(task);
  if (task.precision == Precision::kFp16) {
    cut.minus_ones = mma::kMinusOnes<__half>;
    return stem::run<__half>(task, cut, context);
  }
  cut.minus_ones = mma::kMinusOnes<__nv_bfloat16>;
  stem::run<__nv_bfloat16>(task, cut, context);
}

}  // namespace tbn::cuda
