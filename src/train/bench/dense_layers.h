// The ways in which LibTorch can run one dense layer on a CPU, so that a benchmark can take the
// quickest: its plain call, oneDNN with weights laid out once for its kernels, and int8.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "tbn/ops.h"

namespace tbn {

// y = act(layer(x) + residual); `residual` is undefined where nothing is added.
using DenseFunction = std::function<at::Tensor(const at::Tensor& x, const at::Tensor& residual)>;

struct DenseForm {
  std::string name;  // "oneDNN prepacked"
  DenseFunction run;
};

struct DenseWeights {
  at::Tensor weight;  // [N, K] or [O, C / groups, kh, kw]
  at::Tensor bias;    // undefined: none
};

// Empty where this LibTorch has no oneDNN. `rows`: of the inputs to come, all batches together.
std::vector<DenseForm> onednn_linear(const DenseWeights& weights, std::int64_t rows,
                                     ActivationKind activation = ActivationKind::kNone);
// `input`: the sizes of x, [B, C, H, W], channels last in memory.
std::vector<DenseForm> onednn_conv(const DenseWeights& weights, const Conv2d& op,
                                   const std::vector<std::int64_t>& input,
                                   ActivationKind activation = ActivationKind::kNone);

// Without activation and residual; those of oneDNN included.
std::vector<DenseForm> linear_forms(const DenseWeights& weights, std::int64_t rows);
std::vector<DenseForm> conv_forms(const DenseWeights& weights, const Conv2d& op,
                                  const std::vector<std::int64_t>& input);

// int8 weights, one scale per output; one form for each engine of this LibTorch that can run x, so
// maybe none. Linear layers take and give floats, whose scale is found in each call. Convolutions
// take and give int8 (quantized::conv2d_dynamic cuts its results off at the range of its inputs),
// so that nothing is spent on the change from and to floats.
std::vector<DenseForm> int8_linear_forms(const DenseWeights& weights, const at::Tensor& x);
std::vector<DenseForm> int8_conv_forms(const DenseWeights& weights, const Conv2d& op,
                                       const at::Tensor& x);
// x as such a convolution takes it.
at::Tensor int8_values(const at::Tensor& x);

// The place of the form that takes least time for x: of the shortest of a few calls of each.
std::size_t quickest(const std::vector<DenseForm>& forms, const at::Tensor& x);

}  // namespace tbn
