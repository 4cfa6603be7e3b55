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

#include "tbn/error.h"
#include "train/tiled/tiled_function.h"
#include "train/tiled/tiled_function_maps.h"

namespace tbn {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

struct NormFanOut : torch::autograd::Function<NormFanOut> {
  // Returns y, and the maps' mean and variance, which carry no gradient.
  static tensor_list forward(AutogradContext* ctx, const Tensor& u, const Tensor& alphas,
                             const Tensor& gamma, const Tensor& beta,
                             const std::optional<Tensor>& residual, double eps, bool relu) {
    const Tensor maps = dense_maps(u);
    const MapLayout layout = map_layout(maps);
    const std::int64_t p = alphas.size(0);
    const Moments moments = map_moments(maps, layout);
    const Tensor inverse = (alphas * alphas * moments.var + eps).rsqrt();  // w_c
    const Tensor a = gamma.view({p, -1}) * alphas * inverse;
    const Tensor b = beta.view({p, -1}) - a * moments.mean;
    const Tensor added = residual ? in_layout(residual->to(u.scalar_type()), layout) : Tensor();
    const Tensor y = fan_out(maps, layout, a, b, added, relu);
    const bool recomputed = relu && !residual && recomputes_mask(maps, layout);
    ctx->save_for_backward({maps, alphas, gamma, moments.mean, inverse,
                            relu && !recomputed ? y : Tensor(), recomputed ? b : Tensor()});
    ctx->saved_data["eps"] = eps;
    ctx->saved_data["residual"] = residual.has_value();
    ctx->mark_non_differentiable({moments.mean, moments.var});
    return {y, moments.mean, moments.var};
  }

  // Takes the gradient of y over, so that the residual's can be written in its place.
  static tensor_list backward(AutogradContext* ctx, tensor_list& grad) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &u = saved[0], &mean = saved[3], &inverse = saved[4];
    const MapLayout layout = map_layout(u);
    const Tensor& alpha = saved[1];
    const Tensor gamma = saved[2].view(inverse.sizes());
    const Tensor a = gamma * alpha * inverse;
    Tensor dy = in_layout(grad[0], layout);
    grad[0].reset();
    FanIn in = fan_in(std::move(dy), {saved[5], saved[6]}, u, layout, a, mean,
                      ctx->saved_data["residual"].toBool());
    const Tensor common = gamma * in.sum_gu * inverse.pow(3);
    const Tensor per_alpha = alpha.size(1) == common.size(1) ? common : common.sum(1, true);
    const Tensor dalpha = per_alpha * ctx->saved_data["eps"].toDouble();
    const double count = static_cast<double>(u.numel() / inverse.size(1));
    const Tensor dmean = (a * in.sum_g).sum(0).mul_(-1 / count);
    const Tensor dvar = (common * alpha.pow(3)).sum(0).mul_(-1 / count);
    add_affine_(in.du, u, layout, mean, dmean, dvar);
    return {in.du, dalpha, (alpha * inverse * in.sum_gu).flatten(), in.sum_g.flatten(), in.g,
            {},    {}};
  }
};

void update_running_statistics(const NormState& norm, const Tensor& alpha, const Tensor& mean,
                               const Tensor& var, std::int64_t count) {
  const torch::NoGradGuard no_grad;
  const double unbiased = static_cast<double>(count) / static_cast<double>(count - 1);
  norm.running_mean.lerp_((alpha * mean).flatten(), norm.momentum);
  norm.running_var.lerp_((alpha * alpha * var).flatten().mul_(unbiased), norm.momentum);
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
                         const NormState& norm, bool training, const Tensor& residual, bool relu) {
  TBN_CHECK(fuses_norm(w, {}, geometry.groups), "the layer does not reuse shared rows");
  if (!training && torch::GradMode::is_enabled()) {
    // Rare (a frozen norm in training): the parts, with their gradients.
    Tensor y =
        at::batch_norm(tiled_conv2d(x, w, {}, geometry), norm.weight, norm.bias, norm.running_mean,
                       norm.running_var, false, norm.momentum, norm.eps, false);
    if (residual.defined()) y = y + residual;
    return relu ? at::relu(y) : y;
  }
  const Tensor scalars = tile_scalars(w).view({w.layout.p, -1});  // [p, 1] or [p, R]
  const Tensor u = unique_maps(x, w, geometry);
  if (!training) return norm_with_running(u, scalars, norm, residual, relu);
  const std::int64_t count = u.numel() / u.size(1);
  TBN_CHECK(count > 1, "one value per channel has no variance");
  const tensor_list result =
      NormFanOut::apply(u, scalars, norm.weight, norm.bias, if_defined(residual), norm.eps, relu);
  update_running_statistics(norm, scalars.detach(), result[1], result[2], count);
  return result[0];
}

}  // namespace tbn
