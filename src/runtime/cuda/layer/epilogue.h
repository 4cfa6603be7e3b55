// What layers do to their sums, and activations, in kernels.
#pragma once

#include "runtime/cuda/device/device_code.h"
#include "runtime/cuda/layer/layer.h"
#include "tbn/ops.h"

namespace tbn::cuda {

__device__ __forceinline__ float activate(int kind, float x) {
  switch (static_cast<ActivationKind>(kind)) {
    case ActivationKind::kNone:
      return x;
    case ActivationKind::kRelu:
      return x > 0 || x != x ? x : 0.0f;  // what is not a number stays one
    case ActivationKind::kGelu:
      return 0.5f * x * (1.0f + erff(x * 0.70710678f));
    case ActivationKind::kSilu:
      return x / (1.0f + expf(-x));
    case ActivationKind::kTanh:
      return tanhf(x);
    case ActivationKind::kSigmoid:
      return 1.0f / (1.0f + expf(-x));
  }
  return x;
}

// y[m][c] for one output c of pixel m.
template <class T>
__device__ __forceinline__ void finish_output(const LayerShape& shape, const LayerData& data,
                                              std::int64_t m, int c, float sum) {
  const std::int64_t at = m * shape.outputs + c;
  float value = data.gain[c] * sum + data.bias[c];
  if (shape.residual) value += to_float(static_cast<const T*>(data.residual)[at]);
  static_cast<T*>(data.y)[at] = from_float<T>(activate(shape.activation, value));
}

// y[m][c] for all copies c of row r.
template <class T>
__device__ __forceinline__ void finish_row(const LayerShape& shape, const LayerData& data,
                                           std::int64_t m, int r, float sum) {
  for (int i = 0; i < shape.copies(); ++i) {
    finish_output<T>(shape, data, m, r * shape.row_step + i * shape.copy_step, sum);
  }
}

}  // namespace tbn::cuda
