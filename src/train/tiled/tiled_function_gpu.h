// The third way of tiled_function_maps: kernels of ours for rows of float32 or bfloat16 on a CUDA
// device, which go once over memory where at:: operations go several times.
#pragma once

#include <torch/torch.h>

#include "train/tiled/tiled_function_maps.h"

namespace tbn {

// Whether the kernels take maps u with this number of copies; never in a build without CUDA.
bool use_kernels(const torch::Tensor& u, MapLayout layout, std::int64_t copies);

// What a norm makes of the maps' moments: w_c and a_c of tiled_function_norm.cpp, and b_c = beta_c
// - a_c m_r, so that y_c = act(a_c u_r + b_c + residual_c).
struct NormFactors {
  Moments moments;              // [R]
  torch::Tensor inverse, a, b;  // [p, R]
};

// Gradients of the norm over copies. dalpha is like alpha.
struct NormGradients {
  torch::Tensor du, dalpha, dgamma, dbeta;
  torch::Tensor g;  // the residual's; undefined unless asked for
};

// What both directions of the norm need: alpha [p, 1] or [p, R]; gamma and beta [p R].
struct NormScalars {
  torch::Tensor alpha, gamma, beta;
  double eps = 0;
};

// The functions of tiled_function_maps.h and of the norm, of what use_kernels() takes.
void fan_out_kernels(const torch::Tensor& u, const torch::Tensor& a, const torch::Tensor& b,
                     const torch::Tensor& residual, bool relu, torch::Tensor& y);
FanIn fan_in_kernels(const torch::Tensor& dy, const ReluMask& mask, const torch::Tensor& u,
                     const torch::Tensor& a, const torch::Tensor& centre, bool keep_g);
Moments moment_kernels(const torch::Tensor& u);
void add_affine_kernels(torch::Tensor& du, const torch::Tensor& u, const torch::Tensor& centre,
                        const torch::Tensor& c0, const torch::Tensor& c1);
NormFactors norm_factor_kernels(const torch::Tensor& u, const NormScalars& norm);
NormGradients norm_gradient_kernels(const torch::Tensor& dy, const ReluMask& mask,
                                    const torch::Tensor& u, const NormScalars& norm,
                                    const NormFactors& factors, bool keep_g);
// `rows` is how many values a map has.
void update_running_kernels(const NormScalars& norm, const Moments& moments, std::int64_t rows,
                            double momentum, const torch::Tensor& running_mean,
                            const torch::Tensor& running_var);

}  // namespace tbn
