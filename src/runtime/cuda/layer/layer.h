// A conv2d or linear layer as the device computes it, and the kernels that can.
//
//   u[m][r] = sum over k of w[r][k] x[m][k]                            R distinct rows r
//   y[m][c] = act(gain[c] u[m][r] + bias[c] + residual[m][c])          for the p copies c of row r
//
// with m one of batch * out_h * out_w pixels. Images lie channels last. A linear layer is a
// convolution of one tap over images of one pixel.
#pragma once

#include <cuda_runtime_api.h>

#include <compare>
#include <cstdint>
#include <span>

#include "runtime/cuda/layer/tile_order.h"
#include "tbn/cuda.h"

namespace tbn::cuda {

class Context;

// How the weights are held on the device.
enum class WeightForm {
  kTile,   // R rows of bits in the order of tile_order.h
  kFlat,   // q bits in file order, and the scalars: weight i is alpha[i / q] t[i mod q], and where
           // there is one scalar alpha[0] t[i mod q]; i counts as in the file, channel by channel
  kFloat,  // n rows of activations' type, [n][InputOrder::inputs()]
};

// Passed to kernels by value. Counts fit 31 bits, products of them 63.
struct LayerShape {
  int batch = 1;
  int in_h = 1, in_w = 1, channels = 0;
  int out_h = 1, out_w = 1, outputs = 0;
  int kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, padding_h = 0, padding_w = 0;
  int groups = 1;
  InputOrder order;  // of the inputs of a row, channels / groups of them a tap
  WeightForm form = WeightForm::kTile;
  int flat_bits = 0;     // q, and how many scalars
  int flat_scalars = 0;  // both of kFlat
  // Distinct sums, each of which makes copies() outputs: copy i of row r is output
  // r * row_step + i * copy_step. In groups of tiled layers every output is a row of its own, and
  // `tile_rows` rows of bits serve them: output c takes row c mod tile_rows, or c / (outputs /
  // tile_rows) where the tile is interleaved.
  int rows = 0;
  int row_step = 1, copy_step = 0;
  int tile_rows = 0;
  bool interleaved = false;
  int activation = 0;  // ActivationKind
  bool residual = false;

  auto operator<=>(const LayerShape&) const = default;

  __host__ __device__ int copies() const { return outputs / rows; }
  __host__ __device__ std::int64_t pixels() const { return std::int64_t{batch} * out_h * out_w; }
  // A matrix product: each pixel's inputs are one run of x.
  __host__ __device__ bool is_linear() const {
    return order.taps == 1 && groups == 1 && stride_h == 1 && stride_w == 1 && padding_h == 0 &&
           padding_w == 0;
  }
  __host__ __device__ int tile_row(int r) const {
    if (tile_rows == rows) return r;
    return interleaved ? r / (rows / tile_rows) : r % tile_rows;
  }
};

// What a layer reads and writes; types of values are the session's precision.
struct LayerData {
  const void* x = nullptr;              // [batch, in_h, in_w, channels]
  const void* residual = nullptr;       // as y; may be y itself
  void* y = nullptr;                    // [batch, out_h, out_w, outputs]
  const std::uint32_t* bits = nullptr;  // of tiles
  const void* weights = nullptr;        // kFloat: [n][inputs]; kFlat: the scalars, floats
  const float* gain = nullptr;          // [outputs]
  const float* bias = nullptr;          // [outputs]
};

struct LayerTask {
  LayerShape shape;
  LayerData data;
  Precision precision = Precision::kBf16;
  void* workspace = nullptr;  // LayerKernel::workspace_bytes, aligned to 256 bytes, zero at first
                              // in its first kCounterBytes, which a kernel leaves zero
  cudaStream_t stream = nullptr;
};
// Bytes at the beginning of a workspace for kernels whose blocks count each other.
inline constexpr std::int64_t kCounterBytes = 64 * 1024;

// One rung of the ladder. Functions of a shape must answer for any shape.
struct LayerKernel {
  const char* name;
  // Whether it computes such layers in such a precision on this device.
  bool (*computes)(const LayerShape& shape, Precision precision, const Context& context);
  // Beyond the counters.
  std::int64_t (*workspace_bytes)(const LayerShape& shape, Precision precision,
                                  const Context& context);
  // Launches it; only reads of `task` what it names.
  void (*run)(const LayerTask& task, Context& context);
};

// All rungs, the plainest first. The first computes every layer.
std::span<const LayerKernel> layer_kernels();

}  // namespace tbn::cuda
