// From the sums in a warpgroup's registers to outputs: by way of shared memory, so that threads
// write 16 bytes of neighbouring outputs each, and eight threads all 64 of a pixel.
#pragma once

#include "runtime/cuda/kernels/wgmma_block.h"
#include "runtime/cuda/layer/epilogue.h"
#include "runtime/cuda/layer/weights.h"

namespace tbn::cuda {

inline constexpr int kRun = 8;  // outputs of 16 bytes

// Where a patch's sum of a pixel and row lies: rows in fours, those of odd numbers of fours 36
// further on. Neither the fragments of products nor the runs of outputs meet in a bank.
__device__ __forceinline__ int staged_at(int pixel, int row) {
  return pixel * kPatchStride + row % 8 / 4 * 36 + row / 8 * 4 + row % 4;
}

// A patch's first pixel, of the layer's or of the padded ones, and row.
struct Patch {
  std::int64_t pixel;
  int row;
};

// The layer's pixel at pixel i of all, or -1 where there is none.
template <bool kPadded>
__device__ __forceinline__ int output_pixel(const LayerShape& shape, std::int64_t i) {
  if (!kPadded) return i < shape.pixels() ? static_cast<int>(i) : -1;
  const Pixel at = pixel_at(padded_pixels(shape), i);
  if (at.image >= shape.batch || at.y >= shape.out_h || at.x >= shape.out_w) return -1;
  return (at.image * shape.out_h + at.y) * shape.out_w + at.x;
}

// The sums of 64 pixels that one thread of a warpgroup holds, to the patch.
__device__ __forceinline__ void stage_sums(const float* sums, float* staged) {
  const auto thread = static_cast<int>(threadIdx.x) % kWarpgroup;
  const int row = thread / kWarp * 16 + thread % kWarp / 4, column = thread % 4 * 2;
#pragma unroll
  for (int i = 0; i < kPatchPixels / 2; ++i) {
    staged[staged_at(i / 4 * 8 + column + i % 2, row + i / 2 % 2 * 8)] = sums[i];
  }
}

template <class T>
struct alignas(16) Run {
  T values[kRun];
};

// Eight outputs of neighbouring numbers.
struct RunPlace {
  int c;       // the first
  int count;   // that there are, not more than eight
  bool whole;  // all are, and begin at a multiple of 16 bytes
  bool beside;
  int row, copy;  // of the first, in the patch
  float gain[kRun], bias[kRun];
};

// Eight scalars from a multiple of eight on.
__device__ __forceinline__ void load_scalars(const float* from, float (&to)[kRun]) {
#pragma unroll
  for (int j = 0; j < kRun; j += 4) {
    const float4 four = __ldg(reinterpret_cast<const float4*>(from + j));
    to[j] = four.x;
    to[j + 1] = four.y;
    to[j + 2] = four.z;
    to[j + 3] = four.w;
  }
}

// The run of a thread in pass i of a patch, whose 64 rows have copies() times 64 outputs.
__device__ __forceinline__ RunPlace run_place(const LayerShape& shape, const LayerData& data,
                                              const Patch& patch, int i) {
  const int first = static_cast<int>(threadIdx.x) % (kPatchRows / kRun) * kRun;
  RunPlace run;
  run.beside = shape.copy_step == 1 && shape.row_step != 1;
  if (run.beside) {
    run.c = patch.row * shape.row_step + i * kPatchRows + first;
    run.count = shape.outputs - run.c;
    run.row = (i * kPatchRows + first) / shape.row_step;
    run.copy = (i * kPatchRows + first) % shape.row_step;
  } else {
    run.c = patch.row + first + i * shape.copy_step;
    run.count = shape.rows - patch.row - first;
    run.row = first;
    run.copy = i;
  }
  run.whole = run.count >= kRun && run.c % kRun == 0 && shape.outputs % kRun == 0;
  if (run.whole) {
    load_scalars(data.gain + run.c, run.gain);
    load_scalars(data.bias + run.c, run.bias);
    return run;
  }
#pragma unroll
  for (int j = 0; j < kRun; ++j) {
    run.gain[j] = j < run.count ? data.gain[run.c + j] : 0.0f;
    run.bias[j] = j < run.count ? data.bias[run.c + j] : 0.0f;
  }
  return run;
}

__device__ __forceinline__ void run_sums(const LayerShape& shape, const RunPlace& run,
                                         const float* staged, int pixel, float (&sums)[kRun]) {
  if (run.beside) {
    int row = run.row, copy = run.copy;
#pragma unroll
    for (int j = 0; j < kRun; ++j) {
      sums[j] = staged[staged_at(pixel, row)];
      if (++copy == shape.row_step) {
        copy = 0;
        ++row;
      }
    }
    return;
  }
#pragma unroll
  for (int j = 0; j < kRun; j += 4) {
    const auto four = *reinterpret_cast<const float4*>(staged + staged_at(pixel, run.row + j));
    sums[j] = four.x;
    sums[j + 1] = four.y;
    sums[j + 2] = four.z;
    sums[j + 3] = four.w;
  }
}

// Looks at the kind once, not for each value.
__device__ __forceinline__ void activate_run(int kind, float (&values)[kRun]) {
  constexpr int kNone = static_cast<int>(ActivationKind::kNone);
  constexpr int kRelu = static_cast<int>(ActivationKind::kRelu);
  if (kind == kNone) return;
  if (kind == kRelu) {
#pragma unroll
    for (int j = 0; j < kRun; ++j) values[j] = activate(kRelu, values[j]);
    return;
  }
#pragma unroll
  for (int j = 0; j < kRun; ++j) values[j] = activate(kind, values[j]);
}

// What the outputs of a run of pixel m are added to, and the outputs.
template <class T>
__device__ __forceinline__ Run<T> load_run(const void* values, std::int64_t at,
                                           const RunPlace& run) {
  const T* const from = static_cast<const T*>(values) + at;
  if (run.whole) return *reinterpret_cast<const Run<T>*>(from);
  Run<T> loaded{};
#pragma unroll
  for (int j = 0; j < kRun; ++j) {
    if (j < run.count) loaded.values[j] = from[j];
  }
  return loaded;
}
template <class T>
__device__ __forceinline__ void store_run(const Run<T>& out, void* values, std::int64_t at,
                                          const RunPlace& run) {
  T* const to = static_cast<T*>(values) + at;
  if (run.whole) {
    *reinterpret_cast<Run<T>*>(to) = out;
    return;
  }
#pragma unroll
  for (int j = 0; j < kRun; ++j) {
    if (j < run.count) to[j] = out.values[j];
  }
}

template <class T>
__device__ __forceinline__ void finish_run(const LayerShape& shape, const LayerData& data,
                                           std::int64_t m, const RunPlace& run,
                                           const float (&sums)[kRun]) {
  const std::int64_t at = m * shape.outputs + run.c;
  float values[kRun];
#pragma unroll
  for (int j = 0; j < kRun; ++j) values[j] = run.gain[j] * sums[j] + run.bias[j];
  if (shape.residual) {
    const Run<T> residual = load_run<T>(data.residual, at, run);
#pragma unroll
    for (int j = 0; j < kRun; ++j) values[j] += to_float(residual.values[j]);
  }
  activate_run(shape.activation, values);
  Run<T> out;
#pragma unroll
  for (int j = 0; j < kRun; ++j) out.values[j] = from_float<T>(values[j]);
  store_run(out, data.y, at, run);
}

// All outputs of a staged patch.
template <class T, bool kPadded>
__device__ __forceinline__ void finish_patch(const LayerShape& shape, const LayerData& data,
                                             const float* staged, const Patch& patch) {
  constexpr int kThreadsOfPixel = kPatchRows / kRun;
  constexpr int kPixelStep = kWarpgroup / kThreadsOfPixel, kPixels = kPatchPixels / kPixelStep;
  const int first = static_cast<int>(threadIdx.x) % kWarpgroup / kThreadsOfPixel;
  int pixels[kPixels];
#pragma unroll
  for (int j = 0; j < kPixels; ++j) {
    pixels[j] = output_pixel<kPadded>(shape, patch.pixel + first + j * kPixelStep);
  }
#pragma unroll 1
  for (int i = 0; i < shape.copies(); ++i) {
    const RunPlace run = run_place(shape, data, patch, i);
    // Not unrolled: that many activations are more code than caches hold.
#pragma unroll 1
    for (int j = 0; j < kPixels; ++j) {
      int m = pixels[0];
#pragma unroll
      for (int k = 1; k < kPixels; ++k) m = j == k ? pixels[k] : m;
      if (m < 0) continue;
      float sums[kRun];
      run_sums(shape, run, staged, first + j * kPixelStep, sums);
      finish_run<T>(shape, data, m, run, sums);
    }
  }
}

// All outputs of a warpgroup's sums of an item. Its threads meet at barrier 1 + warpgroup.
template <class T, class Block>
__device__ __forceinline__ void finish_sums(const LayerShape& shape, const LayerData& data,
                                            const WorkItem& work, int warpgroup, float* staged,
                                            const typename Block::Sums& sums) {
  constexpr int kPatches = Block::kColumns / kPatchPixels;
  const int row =
      work.row_tile * Block::kRows + (Block::kBeside ? 0 : warpgroup * 64 * Block::kParts);
  const std::int64_t pixel = std::int64_t{work.pixel_tile} * Block::kPixels +
                             (Block::kBeside ? warpgroup * Block::kColumns : 0);
  const std::int64_t pixels = (Block::kPadded ? padded_pixels(shape) : shape).pixels();
#pragma unroll 1
  for (int i = 0; i < Block::kParts * kPatches; ++i) {
    const Patch patch{pixel + i % kPatches * kPatchPixels, row + i / kPatches * kPatchRows};
    if (patch.pixel >= pixels || patch.row >= shape.rows) continue;
      // Registers have no run-time index.
#pragma unroll
    for (int part = 0; part < Block::kParts; ++part) {
#pragma unroll
      for (int j = 0; j < kPatches; ++j) {
        if (i == part * kPatches + j) stage_sums(sums[part] + j * kPatchPixels / 2, staged);
      }
    }
    named_barrier(1 + warpgroup, kWarpgroup);
    finish_patch<T, Block::kPadded>(shape, data, staged, patch);
    named_barrier(1 + warpgroup, kWarpgroup);
  }
}

}  // namespace tbn::cuda
