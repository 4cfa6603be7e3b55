// Attention goes through LibTorch's fused kernels: windows join the heads in one dimension, so that
// a mask of all windows broadcasts over the batch instead of being copied for it.
#include "train/executor/graph_module_ops.h"

#include <limits>

#include "tbn/error.h"

namespace tbn {
namespace {

using torch::Tensor;

// The windows of an attention: their number down and across, and their side.
struct Windows {
  explicit Windows(const Attention& op)
      : down(op.grid.h / op.window), across(op.grid.w / op.window), side(op.window) {}
  std::int64_t count() const { return down * across; }
  std::int64_t pixels() const { return side * side; }
  std::int64_t down;
  std::int64_t across;
  std::int64_t side;
};

// Query minus key, [L, L], of a coordinate of the pixels of a window, [L].
Tensor offsets(const Tensor& coordinate) {
  return coordinate.unsqueeze(1) - coordinate.unsqueeze(0);
}

Tensor bias_rows(std::int64_t window) {
  const Tensor pixel = at::arange(window * window, at::kLong);
  const Tensor dy = offsets(at::floor_divide(pixel, window)) + (window - 1);
  const Tensor dx = offsets(at::remainder(pixel, window)) + (window - 1);
  return (dy * (2 * window - 1) + dx).flatten();
}

// Which of three strips along one side of the rolled image each of its `size` positions is in:
// before the last window, in it, and in it but brought there from the other end.
Tensor strips(std::int64_t size, const Attention& op) {
  const Tensor position = at::arange(size, at::kLong);
  return position.ge(size - op.window).to(at::kLong) + position.ge(size - op.shift).to(at::kLong);
}

Tensor region_mask(const Attention& op, const torch::TensorOptions& options) {
  const Windows w(op);
  const Tensor labels = strips(op.grid.h, op).unsqueeze(1) * 3 + strips(op.grid.w, op).unsqueeze(0);
  const Tensor of_window = labels.view({w.down, w.side, w.across, w.side})
                               .transpose(1, 2)
                               .reshape({w.count(), 1, w.pixels()});
  const Tensor apart = of_window.unsqueeze(-1).ne(of_window.unsqueeze(-2));
  return at::zeros(apart.sizes(), options.device(at::kCPU))
      .masked_fill_(apart, -std::numeric_limits<double>::infinity())
      .to(options.device());
}

Tensor sinusoidal_table(const Shape& shape, const torch::TensorOptions& options) {
  const std::int64_t features = shape.back();
  const Tensor place = at::arange(shape.front(), at::kDouble).unsqueeze(1);
  const Tensor feature = at::arange(features, at::kLong);
  const Tensor exponent =
      at::floor_divide(feature, 2).to(at::kDouble) * 2.0 / static_cast<double>(features);
  const Tensor angle = place * at::pow(1e-4, exponent).unsqueeze(0);
  const Tensor even = at::remainder(feature, 2).eq(0);
  return at::where(even, angle.sin(), angle.cos()).to(options);
}

// Values of channels for a batch of `shape`.
Tensor per_channel(const std::vector<float>& values, const Shape& shape,
                   const torch::TensorOptions& options) {
  std::vector<std::int64_t> sizes(shape.size() + 1, 1);
  sizes[channel_axis(shape) + 1] = static_cast<std::int64_t>(values.size());
  return at::tensor(at::ArrayRef<float>(values)).to(options).view(sizes);
}

// x [B, T, parts F] -> [parts, B, heads, T, d], or with windows [parts, B, W heads, L, d].
Tensor to_heads(const Attention& op, const Tensor& x, std::int64_t parts) {
  const std::int64_t batch = x.size(0);
  const std::int64_t width = x.size(2) / (parts * op.heads);
  if (op.window == 0) {
    return x.reshape({batch, x.size(1), parts, op.heads, width}).permute({2, 0, 3, 1, 4});
  }
  const Windows w(op);
  Tensor image = x.reshape({batch, op.grid.h, op.grid.w, x.size(2)});
  if (op.shift > 0) image = at::roll(image, {-op.shift, -op.shift}, {1, 2});
  return image.reshape({batch, w.down, w.side, w.across, w.side, parts, op.heads, width})
      .permute({5, 0, 1, 3, 6, 2, 4, 7})
      .reshape({parts, batch, w.count() * op.heads, w.pixels(), width});
}

// The way back: [B, heads, T, d] or [B, W heads, L, d] -> [B, T, F].
Tensor from_heads(const Attention& op, const Tensor& y) {
  const std::int64_t batch = y.size(0);
  const std::int64_t features = op.heads * y.size(3);
  if (op.window == 0) return y.transpose(1, 2).reshape({batch, y.size(2), features});
  const Windows w(op);
  Tensor image = y.reshape({batch, w.down, w.across, op.heads, w.side, w.side, y.size(3)})
                     .permute({0, 1, 4, 2, 5, 3, 6})
                     .reshape({batch, op.grid.h, op.grid.w, features});
  if (op.shift > 0) image = at::roll(image, {op.shift, op.shift}, {1, 2});
  return image.reshape({batch, op.grid.h * op.grid.w, features});
}

// What is added to the scores, [1, W heads, L, L]; undefined where nothing is.
Tensor score_mask(const Attention& op, const Tensor& relative_bias, const NodeConstants& constants,
                  at::ScalarType dtype) {
  if (!relative_bias.defined() && !constants.regions.defined()) return {};
  const Windows w(op);
  Tensor mask = constants.regions;
  if (relative_bias.defined()) {
    const Tensor bias = relative_bias.index_select(0, constants.bias_rows)
                            .view({w.pixels(), w.pixels(), op.heads})
                            .permute({2, 0, 1});
    mask = mask.defined() ? mask + bias : bias.unsqueeze(0);
  }
  return mask.expand({w.count(), op.heads, w.pixels(), w.pixels()})
      .reshape({1, w.count() * op.heads, w.pixels(), w.pixels()})
      .to(dtype);
}

}  // namespace

NodeConstants constants_of(const Node& node, const torch::TensorOptions& options) {
  const torch::NoGradGuard no_grad;
  NodeConstants constants;
  if (const auto* op = std::get_if<Attention>(&node.op)) {
    if (op->relative_bias) constants.bias_rows = bias_rows(op->window).to(options.device());
    if (op->shift > 0) constants.regions = region_mask(*op, options);
  } else if (const auto* positions = std::get_if<PositionEmbedding>(&node.op)) {
    if (positions->kind == PositionKind::kSinusoidal) {
      constants.positions = sinusoidal_table(node.shape, options);
    }
  } else if (const auto* scale = std::get_if<Normalize>(&node.op)) {
    constants.mean = per_channel(scale->mean, node.shape, options);
    constants.deviation = per_channel(scale->std, node.shape, options);
  }
  return constants;
}

Tensor attention(const Attention& op, const std::vector<Tensor>& inputs,
                 const Tensor& relative_bias, const NodeConstants& constants) {
  std::vector<Tensor> heads;  // queries, keys, values
  if (inputs.size() == 1) {
    heads = to_heads(op, inputs[0], 3).unbind(0);
  } else {
    for (const Tensor& x : inputs) heads.push_back(to_heads(op, x, 1).squeeze(0));
  }
  const Tensor mask = score_mask(op, relative_bias, constants, heads[0].scalar_type());
  return from_heads(
      op, at::scaled_dot_product_attention(heads[0], heads[1], heads[2],
                                           mask.defined() ? std::optional(mask) : std::nullopt));
}

Tensor batch_norm(const BatchNorm& op, const Tensor& x, const Tensor& weight, const Tensor& bias,
                  const Tensor& running_mean, const Tensor& running_var, double momentum,
                  bool training) {
  const auto norm = [&](const Tensor& rows) {
    return at::batch_norm(rows, weight, bias, running_mean, running_var, training, momentum, op.eps,
                          /*cudnn_enabled=*/true);
  };
  return x.dim() == 3 ? norm(x.reshape({-1, x.size(2)})).view(x.sizes()) : norm(x);
}

Tensor in_channels_last(const Tensor& x) {
  if (x.size(1) > 1) return x.contiguous(at::MemoryFormat::ChannelsLast);
  const std::int64_t width = x.size(3);
  const std::int64_t area = x.size(2) * width;
  return x.contiguous().as_strided(x.sizes(), {area, 1, width, 1});
}

Tensor normalize(const NodeConstants& constants, const Tensor& x) {
  return (x - constants.mean) / constants.deviation;
}

Tensor with_class_token(const Tensor& token, const Tensor& x) {
  return at::cat({token.to(x.scalar_type()).expand({x.size(0), 1, x.size(2)}), x}, 1);
}

Tensor add_identity(const Tensor& x) {
  const Tensor wide = x.to(at::promote_types(x.scalar_type(), at::kFloat));
  return wide + at::eye(x.size(1), wide.options());
}

Tensor sequence_pool(PoolKind kind, const Tensor& x) {
  switch (kind) {
    case PoolKind::kMax:
      return std::get<0>(at::max(x, 1));
    case PoolKind::kMean:
      return x.mean(1);
  }
  TBN_CHECK(false, "unknown pooling");
}

Tensor moving_average(const Tensor& x, std::int64_t kernel) {
  const std::int64_t half = kernel / 2;
  const auto repeated = [&](std::int64_t row) {
    return x.narrow(1, row, 1).expand({x.size(0), half, x.size(2)});
  };
  const Tensor padded = at::cat({repeated(0), x, repeated(x.size(1) - 1)}, 1);
  return at::avg_pool1d(padded.transpose(1, 2), kernel, 1).transpose(1, 2);
}

}  // namespace tbn
