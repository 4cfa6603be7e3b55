// The update rules of optimizer.h on parallel lists of tensors: with numbers for learning rate and
// step, and with tensors for both, which a captured step can be replayed with.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "config/config.h"

namespace tbn {

// The tensors of a group that have a gradient now. `first` and `second` are empty where the rule
// has no such state.
struct ActiveTensors {
  std::vector<at::Tensor> parameters, gradients, first, second;
};

// Where mean squares are one per row: [n, 1...] of tensors of more dimensions than one.
bool keeps_rows(const OptimFields& fields);
at::Tensor row_squares(const at::Tensor& t);

void foreach_sgd(const OptimFields& fields, const ActiveTensors& active, double lr);
void foreach_adam(const OptimFields& fields, const ActiveTensors& active, double lr,
                  std::int64_t step, bool decoupled);
void foreach_adadelta(const OptimFields& fields, const ActiveTensors& active, double lr);
void foreach_bop(const OptimFields& fields, const ActiveTensors& active, double lr);

// lr and step: scalars on the device, of rate_dtype(). In one pass over memory, but mean squares
// per row, Adadelta and Bop, which LibTorch has no fused kernel for.
at::ScalarType rate_dtype(c10::Device device);
void fused_sgd(const OptimFields& fields, const ActiveTensors& active, const at::Tensor& lr);
void fused_adam(const OptimFields& fields, const ActiveTensors& active, const at::Tensor& lr,
                const at::Tensor& step, bool decoupled);
void fused_adadelta(const OptimFields& fields, const ActiveTensors& active, const at::Tensor& lr);
void fused_bop(const OptimFields& fields, const ActiveTensors& active, const at::Tensor& lr);

}  // namespace tbn
