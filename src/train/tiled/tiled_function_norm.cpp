// A tiled convolution and the batch norm, residual and ReLU after it, as one function of the R
// unique maps.
//
// With the maps' mean m_r and biased variance v_r over M values, output c = (i, r) is
//   k_c = alpha_i / sqrt(alpha_i^2 v_r + eps)       a_c = gamma_c k_c
//   y_c = act(a_c (u_r - m_r) + beta_c + residual_c)
// and with g = dL/dy before act, G_c = sum g, H_c = sum g (u_r - m_r):
//   dbeta_c = G_c                                   dgamma_c = k_c H_c
//   dalpha_i = sum_r gamma_c H_c eps w_c^3          w_c = 1 / sqrt(alpha_i^2 v_r + eps)
//   dv_r = -1/2 sum_i gamma_c H_c alpha_i^3 w_c^3   dm_r = -sum_i a_c G_c
//   du_r = sum_i a_c g_c + dm_r / M + 2 dv_r (u_r - m_r) / M
#include <utility>

#include "encodings/tiled.h"
#include "tbn/error.h"
#include "train/tiled/map_pool.h"
#include "train/tiled/tiled_function.h"
#include "train/tiled/tiled_function_gpu.h"
#include "train/tiled/tiled_function_maps.h"

namespace tbn {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

NormFactors norm_factors(const Tensor& maps, MapLayout layout, const NormScalars& norm) {
  const std::int64_t p = norm.alpha.size(0);
  if (use_kernels(maps, layout, p)) return norm_factor_kernels(maps, norm);
  NormFactors made;
  made.moments = map_moments(maps, layout);
  made.inverse = (norm.alpha * norm.alpha * made.moments.var + norm.eps).rsqrt();
  made.a = norm.gamma.view({p, -1}) * norm.alpha * made.inverse;
  made.b = norm.beta.view({p, -1}) - made.a * made.moments.mean;
  return made;
}

NormGradients norm_gradients(const Tensor& dy, const ReluMask& mask, const Tensor& u,
                             MapLayout layout, const NormScalars& norm, const NormFactors& factors,
                             bool keep_g) {
  const Tensor &inverse = factors.inverse, &alpha = norm.alpha;
  if (use_kernels(u, layout, alpha.size(0))) {
    return norm_gradient_kernels(dy, mask, u, norm, factors, keep_g);
  }
  const Tensor gamma = norm.gamma.view(inverse.sizes());
  FanIn in = fan_in(dy, mask, u, layout, factors.a, factors.moments.mean, keep_g);
  const Tensor common = gamma * in.sum_gu * inverse.pow(3);
  const Tensor per_alpha = alpha.size(1) == common.size(1) ? common : common.sum(1, true);
  const double count = static_cast<double>(u.numel()) / static_cast<double>(inverse.size(1));
  const Tensor dmean = (factors.a * in.sum_g).sum(0).mul_(-1 / count);
  const Tensor dvar = (common * alpha.pow(3)).sum(0).mul_(-1 / count);
  add_affine_(in.du, u, layout, factors.moments.mean, dmean, dvar);
  return {in.du, per_alpha * norm.eps, (alpha * inverse * in.sum_gu).flatten(), in.sum_g.flatten(),
          in.g};
}

struct NormFanOut : torch::autograd::Function<NormFanOut> {
  // Returns y, and the maps' mean and variance, which carry no gradient.
  static tensor_list forward(AutogradContext* ctx, const Tensor& u, const Tensor& alphas,
                             const Tensor& gamma, const Tensor& beta,
                             const std::optional<Tensor>& residual, double eps, bool relu) {
    const Tensor maps = dense_maps(u);
    const MapLayout layout = map_layout(maps);
    const NormFactors made = norm_factors(maps, layout, {alphas, gamma, beta, eps});
    const Tensor added = residual ? in_layout(residual->to(u.scalar_type()), layout) : Tensor();
    const Tensor y = fan_out(maps, layout, made.a, made.b, added, relu);
    const bool recomputed = relu && !residual && recomputes_mask(maps, layout, alphas.size(0));
    ctx->save_for_backward({maps, alphas, gamma, made.moments.mean, made.inverse, made.a,
                            relu && !recomputed ? y : Tensor(), recomputed ? made.b : Tensor()});
    ctx->saved_data["eps"] = eps;
    ctx->saved_data["residual"] = residual.has_value();
    ctx->mark_non_differentiable({made.moments.mean, made.moments.var});
    return {y, made.moments.mean, made.moments.var};
  }

  // Takes the gradient of y over, so that the residual's can be written in its place.
  static tensor_list backward(AutogradContext* ctx, tensor_list& grad) {
    const auto saved = ctx->get_saved_variables();
    const Tensor& u = saved[0];
    const MapLayout layout = map_layout(u);
    const NormScalars norm{saved[1], saved[2], {}, ctx->saved_data["eps"].toDouble()};
    const NormFactors factors{{saved[3], {}}, saved[4], saved[5], {}};
    Tensor dy = in_layout(grad[0], layout);
    grad[0].reset();
    const NormGradients in = norm_gradients(dy, {saved[6], saved[7]}, u, layout, norm, factors,
                                            ctx->saved_data["residual"].toBool());
    return {in.du, in.dalpha, in.dgamma, in.dbeta, in.g, {}, {}};
  }
};

void update_running_statistics(const NormState& norm, const Tensor& alpha, const Moments& moments,
                               const Tensor& u) {
  const torch::NoGradGuard no_grad;
  const std::int64_t count = u.numel() / u.size(1);
  if (use_kernels(u, map_layout(u), alpha.size(0))) {
    return update_running_kernels({alpha, {}, {}, norm.eps}, moments, count, norm.momentum,
                                  norm.running_mean, norm.running_var);
  }
  const double unbiased = static_cast<double>(count) / static_cast<double>(count - 1);
  norm.running_mean.lerp_((alpha * moments.mean).flatten(), norm.momentum);
  norm.running_var.lerp_((alpha * alpha * moments.var).flatten().mul_(unbiased), norm.momentum);
}

// Running statistics instead of the batch's; no gradient.
Tensor norm_with_running(const Tensor& u, const Tensor& alphas, const NormState& norm,
                         const Tensor& residual, bool relu) {
  const Tensor maps = dense_maps(u);
  const MapLayout layout = map_layout(maps);
  const Tensor factor = norm.weight * (norm.running_var + norm.eps).rsqrt();
  const Tensor a = factor.view({alphas.size(0), -1}) * alphas;
  const Tensor b = (norm.bias - factor * norm.running_mean).view_as(a);
  const Tensor added =
      residual.defined() ? in_layout(residual.to(u.scalar_type()), layout) : residual;
  return fan_out(maps, layout, a, b, added, relu);
}

}  // namespace

Tensor tiled_conv2d_norm(const Tensor& x, const TiledWeight& w, const ConvGeometry& geometry,
                         const NormState& norm, bool training, const Tensor& residual, bool relu,
                         const MapPool& pool) {
  TBN_CHECK(norm_sees_maps(w.layout, w.encoding, geometry.groups, false),
            "the norm sees other maps than the rows make");
  const Tensor scalars = tile_scalars(w).view({w.layout.p, -1});   // [p, 1] or [p, R]
  const bool frozen = !training && torch::GradMode::is_enabled();  // rare: a norm in training
  if (frozen || !pools_unique_maps(pool, w, scalars)) {
    // The parts, with their gradients.
    Tensor y = at::batch_norm(pooled(tiled_conv2d(x, w, {}, geometry), pool), norm.weight,
                              norm.bias, norm.running_mean, norm.running_var, training,
                              norm.momentum, norm.eps, /*cudnn_enabled=*/training);
    if (residual.defined()) y = y + residual;
    return relu ? at::relu(y) : y;
  }
  const Tensor u = pooled(unique_maps(x, w, geometry), pool);
  if (!training) return norm_with_running(u, scalars, norm, residual, relu);
  TBN_CHECK(u.numel() > u.size(1), "one value per channel has no variance");
  const tensor_list result =
      NormFanOut::apply(u, scalars, norm.weight, norm.bias, if_defined(residual), norm.eps, relu);
  update_running_statistics(norm, scalars.detach(), {result[1], result[2]}, u);
  return result[0];
}

}  // namespace tbn
