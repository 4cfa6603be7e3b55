// Tiles, scalars and the layers over them; the fused norm is in tiled_function_norm.cpp.
#include "train/tiled/tiled_function.h"

#include <ATen/autocast_mode.h>

#include <string>

#include "encodings/tiled.h"
#include "tbn/error.h"
#include "tile/reuse.h"
#include "train/tiled/tiled_function_maps.h"

namespace tbn {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

struct SignFunction : torch::autograd::Function<SignFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& s, torch::ScalarType dtype) {
    ctx->saved_data["dtype"] = static_cast<std::int64_t>(s.scalar_type());
    return signs(s, dtype);
  }
  static tensor_list backward(AutogradContext* ctx, tensor_list grad) {
    return {grad[0].to(static_cast<torch::ScalarType>(ctx->saved_data["dtype"].toInt())), {}};
  }
};

// What products are computed in: autocast's type where it is on, and signs are exact in any.
torch::ScalarType product_dtype(const Tensor& latent) {
  const c10::DeviceType device = latent.device().type();
  const bool autocast =
      latent.scalar_type() == torch::kFloat32 && at::autocast::is_autocast_enabled(device);
  return autocast ? at::autocast::get_autocast_dtype(device) : latent.scalar_type();
}

// What is said of each output, [n], in the order that the fan-out computes: [p, R], copies of all
// rows one after another. Scalars of tiles, [p], become [p, 1].
Tensor to_copies(const Tensor& values, const TileLayout& layout) {
  const std::int64_t p = layout.p;
  if (values.numel() == p) return values.reshape({p, 1});
  if (layout.order == TileOrder::kRepeat) return values.reshape({p, layout.rows()});
  return values.reshape({layout.rows(), p}).t();
}

// Channels in the order of the fan-out to the outputs' order.
Tensor to_outputs(const Tensor& y, const TileLayout& layout) {
  if (layout.order == TileOrder::kRepeat) return y;
  const std::int64_t p = layout.p, rows = layout.rows();
  if (y.dim() != 4) return y.unflatten(-1, {p, rows}).transpose(-1, -2).flatten(-2);
  const Tensor channels = y.permute({0, 2, 3, 1}).unflatten(-1, {p, rows});
  return in_layout(channels.transpose(-1, -2).flatten(-2).permute({0, 3, 1, 2}), map_layout(y));
}

// One scalar per output, [n], in rows form.
Tensor output_scalars(const Tensor& scalars, const TileLayout& layout) {
  if (scalars.numel() == layout.outputs) return scalars;
  const Tensor copies = scalars.reshape({layout.p, 1}).expand({layout.p, layout.rows()});
  return layout.order == TileOrder::kRepeat ? copies.reshape({-1}) : copies.t().reshape({-1});
}

// s [q]. Slice by slice in their order, so that the sum rounds as tbn::aggregate() does at export:
// a tile must not change a bit on its way to the file.
Tensor aggregated(const TiledWeight& w) {
  if (has_shared_gradient(w.encoding)) return w.latent.reshape({w.layout.q});
  const Tensor slices = to_slices(w.latent, w.layout);
  Tensor s = slices[0].clone();
  for (std::int64_t i = 1; i < w.layout.p; ++i) s.add_(slices[i]);
  return s;
}

// The tile's rows [R, m...]. Differentiable with shared latents; full ones take their gradient from
// LatentGradient.
Tensor tile_rows(const TiledWeight& w) {
  std::vector<std::int64_t> shape = w.shape;
  shape[0] = w.layout.rows();
  if (has_shared_gradient(w.encoding)) {
    return SignFunction::apply(w.latent.reshape(shape), product_dtype(w.latent));
  }
  const torch::NoGradGuard no_grad;
  return signs(aggregated(w), product_dtype(w.latent)).reshape(shape);
}

// The gradient of x (*) weight for the weight [n, m...], from dy of the n outputs.
Tensor dense_weight_gradient(const Tensor& dy, const Tensor& x, at::IntArrayRef shape,
                             const std::optional<ConvGeometry>& conv) {
  if (!conv) {
    return dy.reshape({-1, dy.size(-1)}).t().matmul(x.reshape({-1, x.size(-1)}));
  }
  // The weight's values take no part in its gradient, only its sizes do.
  const Tensor sizes = at::empty(shape, x.options());
  return std::get<1>(at::convolution_backward(dy, x, sizes, std::nullopt, conv->stride,
                                              conv->padding, {1, 1}, false, {0, 0}, conv->groups,
                                              {false, true, false}));
}

// Passes y on, and on the way back gives full latents their gradient, dW_i = alpha_i * (dy_i x^T):
// that of a dense layer, times the scalar of each output.
struct LatentGradient : torch::autograd::Function<LatentGradient> {
  static Tensor forward(AutogradContext* ctx, const Tensor& y, const Tensor& latent,
                        const Tensor& x, const Tensor& scalars, std::optional<ConvGeometry> conv) {
    ctx->save_for_backward({x, scalars});
    ctx->saved_data["shape"] = latent.sizes().vec();
    ctx->saved_data["conv"] = conv.has_value();
    if (conv) {
      ctx->saved_data["stride"] =
          std::vector<std::int64_t>(conv->stride.begin(), conv->stride.end());
      ctx->saved_data["padding"] =
          std::vector<std::int64_t>(conv->padding.begin(), conv->padding.end());
    }
    return y;
  }
  static tensor_list backward(AutogradContext* ctx, tensor_list grad) {
    const auto saved = ctx->get_saved_variables();
    const auto shape = ctx->saved_data["shape"].toIntVector();
    std::optional<ConvGeometry> conv;
    if (ctx->saved_data["conv"].toBool()) {
      const auto stride = ctx->saved_data["stride"].toIntVector();
      const auto padding = ctx->saved_data["padding"].toIntVector();
      conv = ConvGeometry{{stride[0], stride[1]}, {padding[0], padding[1]}, 1};
    }
    const Tensor& scalars = saved[1];  // [n]
    const Tensor dense =
        dense_weight_gradient(grad[0], saved[0].to(grad[0].scalar_type()), shape, conv);
    const Tensor rows = dense.to(scalars.scalar_type()).reshape({scalars.numel(), -1});
    return {grad[0], (rows * scalars.unsqueeze(1)).reshape(shape), {}, {}, {}};
  }
};

// y = alpha * u_r (+ bias) for the p copies of each row, in their order; alphas [p, 1] or [p, R],
// bias [p, R].
struct FanOut : torch::autograd::Function<FanOut> {
  static Tensor forward(AutogradContext* ctx, const Tensor& u, const Tensor& alphas,
                        const std::optional<Tensor>& bias) {
    const Tensor maps = dense_maps(u);
    const MapLayout layout = map_layout(maps);
    const std::int64_t rows = u.dim() == 4 ? u.size(1) : u.size(-1);
    const Tensor a = alphas.expand({alphas.size(0), rows}).contiguous();
    ctx->save_for_backward({maps, a});
    ctx->saved_data["bias"] = bias.has_value();
    ctx->saved_data["alpha_per_row"] = alphas.size(1) == rows;
    return fan_out(maps, layout, a, bias ? bias->contiguous() : Tensor(), {}, false);
  }
  static tensor_list backward(AutogradContext* ctx, tensor_list grad) {
    const auto saved = ctx->get_saved_variables();
    const Tensor& u = saved[0];
    const Tensor& a = saved[1];
    const MapLayout layout = map_layout(u);
    const FanIn in = fan_in(in_layout(grad[0], layout), {}, u, layout, a,
                            at::zeros({a.size(1)}, a.options()), false);
    const bool has_bias = ctx->saved_data["bias"].toBool();
    const bool alpha_per_row = ctx->saved_data["alpha_per_row"].toBool();
    return {in.du, alpha_per_row ? in.sum_gu : in.sum_gu.sum(1, true),
            has_bias ? in.sum_g : Tensor()};
  }
};

// The sign s of full latents [p, q] repeated p times; the gradient of each position passes
// unchanged.
struct RepeatedSigns : torch::autograd::Function<RepeatedSigns> {
  static Tensor forward(AutogradContext*, const Tensor& slices, const Tensor& s) {
    return signs(s, s.scalar_type()).unsqueeze(0).repeat({slices.size(0), 1});
  }
  static tensor_list backward(AutogradContext*, tensor_list grad) { return {grad[0], {}}; }
};

// u [..., R] or [B, R, H, W] to the layer's outputs.
Tensor fanned_out(const Tensor& u, const TiledWeight& w, const Tensor& scalars,
                  const Tensor& bias) {
  const std::optional<Tensor> copies =
      bias.defined() ? std::optional(to_copies(bias, w.layout).reshape({w.layout.p, -1}))
                     : std::nullopt;
  return to_outputs(FanOut::apply(u, to_copies(scalars, w.layout), copies), w.layout);
}

void check_channels(const Tensor& x, std::int64_t dim, std::int64_t wanted, const char* layer) {
  if (x.size(dim) == wanted) return;
  throw ConfigError(std::string(layer) + ": input has " + std::to_string(x.size(dim)) +
                    " channels, the weight takes " + std::to_string(wanted));
}

}  // namespace

Tensor to_slices(const Tensor& w, const TileLayout& layout) {
  if (layout.order == TileOrder::kRepeat) return w.reshape({layout.p, layout.q});
  return w.reshape({layout.rows(), layout.p, -1}).transpose(0, 1).reshape({layout.p, layout.q});
}

Tensor from_slices(const Tensor& slices, const TileLayout& layout, at::IntArrayRef shape) {
  if (layout.order == TileOrder::kRepeat) return slices.reshape(shape);
  return slices.reshape({layout.p, layout.rows(), -1}).transpose(0, 1).reshape(shape);
}

std::vector<std::int64_t> latent_shape(const TiledWeights& encoding, const TileLayout& layout,
                                       at::IntArrayRef shape) {
  std::vector<std::int64_t> result = shape.vec();
  if (encoding.latent == LatentForm::kFull) return result;
  if (layout.form == TileForm::kFlat) return {layout.q};
  result[0] = layout.rows();
  return result;
}

std::vector<std::int64_t> alpha_shape(const TiledWeights& encoding, const TileLayout& layout,
                                      at::IntArrayRef shape) {
  switch (encoding.alpha_from) {
    case AlphaSource::kWeight:
      return shape.vec();
    case AlphaSource::kLearned:
      return {layout.scalars(encoding.alpha)};
    case AlphaSource::kScores:
      return {};
  }
  TBN_CHECK(false, "unknown source of scalars");
}

Tensor sign_straight_through(const Tensor& s) { return SignFunction::apply(s, s.scalar_type()); }

Tensor tile_scalars(const TiledWeight& w) {
  const std::int64_t p = w.layout.p;
  const bool an_output = w.encoding.alpha == AlphaScope::kOutput;
  if (w.encoding.alpha_from == AlphaSource::kLearned) {
    return an_output ? w.alpha : w.alpha.expand({p});
  }
  const Tensor& source = w.encoding.alpha_from == AlphaSource::kWeight ? w.alpha : w.latent;
  const Tensor magnitudes = source.abs();
  const bool shared = source.numel() < w.layout.weights();  // they stand for p equal slices
  if (an_output) {
    const Tensor all = shared ? from_slices(magnitudes.reshape({1, -1}).expand({p, w.layout.q}),
                                            w.layout, {w.layout.outputs, w.layout.inputs})
                              : magnitudes.reshape({w.layout.outputs, -1});
    return all.mean(1);
  }
  if (w.encoding.alpha == AlphaScope::kLayer || shared) return magnitudes.mean().expand({p});
  return to_slices(magnitudes, w.layout).mean(1);
}

Tensor expanded_weight(const TiledWeight& w) {
  const std::int64_t p = w.layout.p;
  const Tensor scalars = tile_scalars(w);
  Tensor slices;  // [p, q]
  if (has_shared_gradient(w.encoding)) {
    slices = sign_straight_through(aggregated(w)).unsqueeze(0).expand({p, w.layout.q});
  } else {
    Tensor s;
    {
      const torch::NoGradGuard no_grad;
      s = aggregated(w);
    }
    slices = RepeatedSigns::apply(to_slices(w.latent, w.layout), s);
  }
  if (w.encoding.alpha != AlphaScope::kOutput) {
    return from_slices(scalars.unsqueeze(1) * slices, w.layout, w.shape);
  }
  const Tensor rows = from_slices(slices, w.layout, {w.layout.outputs, w.layout.inputs});
  return (scalars.unsqueeze(1) * rows).reshape(w.shape);
}

Tensor tiled_linear(const Tensor& x, const TiledWeight& w, const Tensor& bias) {
  check_channels(x, -1, w.shape[1], "tiled_linear");
  if (!reuses_rows(w.layout)) return at::linear(x, expanded_weight(w), bias);
  const Tensor scalars = tile_scalars(w);
  Tensor y = fanned_out(at::linear(x, tile_rows(w)), w, scalars, bias);
  if (has_shared_gradient(w.encoding)) return y;
  return LatentGradient::apply(y, w.latent, x.detach(), output_scalars(scalars.detach(), w.layout),
                               std::nullopt);
}

Tensor unique_maps(const Tensor& x, const TiledWeight& w, const ConvGeometry& geometry) {
  check_channels(x, 1, w.shape[1] * geometry.groups, "tiled_conv2d");
  return at::conv2d(x, tile_rows(w), {}, geometry.stride, geometry.padding, {1, 1},
                    geometry.groups);
}

Tensor tiled_conv2d(const Tensor& x, const TiledWeight& w, const Tensor& bias,
                    const ConvGeometry& geometry) {
  if (!reuses_rows(w.layout, geometry.groups)) {
    check_channels(x, 1, w.shape[1] * geometry.groups, "tiled_conv2d");
    return at::conv2d(x, expanded_weight(w), bias, geometry.stride, geometry.padding, {1, 1},
                      geometry.groups);
  }
  const Tensor scalars = tile_scalars(w);
  Tensor y = fanned_out(unique_maps(x, w, geometry), w, scalars, bias);
  if (has_shared_gradient(w.encoding)) return y;
  return LatentGradient::apply(y, w.latent, x.detach(), output_scalars(scalars.detach(), w.layout),
                               std::optional<ConvGeometry>(geometry));
}

}  // namespace tbn
