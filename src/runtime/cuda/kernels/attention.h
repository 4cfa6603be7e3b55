// Multi-head attention over all tokens of a sequence or within the windows of an image (see
// Attention of tbn/ops.h):
//
//   y[i] = sum over j of softmax over j (scale q[i] . k[j] + b[i][j]) v[j]        in each head
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "runtime/cuda/device/context.h"
#include "tbn/cuda.h"

namespace tbn::cuda {

// Passed to kernels by value.
struct AttentionShape {
  int batch = 1;   // sequences, or images
  int tokens = 0;  // that see each other: of a sequence, or of a window
  int heads = 1;
  int width = 0;  // of a head
  float scale = 1;
  // From a token to the next of a sequence or of the next one, in values: 3 F where queries, keys
  // and values lie side by side, F where each has its own memory.
  std::int64_t input_stride = 0;
  std::int64_t output_stride = 0;
  // Windows of window x window = `tokens` pixels of an image rolled up and left; 0: none.
  int window = 0, shift = 0, grid_h = 0, grid_w = 0;

  __host__ __device__ int windows() const {
    return window == 0 ? 1 : grid_h / window * (grid_w / window);
  }
};

// Head h of a token begins `width` * h values after the token. Neither may overlap the output.
struct AttentionData {
  const void* queries = nullptr;
  const void* keys = nullptr;
  const void* values = nullptr;
  void* y = nullptr;
  const float* relative_bias = nullptr;  // [(2 window - 1)^2][heads], or none
};

// By ordinary arithmetic, of every shape, precision and device.
void launch_attention_plain(const AttentionShape& shape, const AttentionData& data,
                            Precision precision, cudaStream_t stream);

// On the tensor cores of devices since compute capability 8.0: 16-bit precisions, heads of a width
// that is a multiple of 16 up to 128, tokens whose values begin at multiples of 16 bytes.
bool attention_mma_computes(const AttentionShape& shape, const AttentionData& data,
                            Precision precision, const Context& context);
// Puts it on the stream; needs no workspace.
void launch_attention_mma(const AttentionShape& shape, const AttentionData& data,
                          Precision precision, const Context& context, cudaStream_t stream);

}  // namespace tbn::cuda
