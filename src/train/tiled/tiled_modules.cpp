// The public module holders: parameters and options around the functions of tiled_function.h.
#include <torch/torch.h>

#include <cmath>
#include <string>
#include <utility>

#include "tbn/error.h"
#include "tbn/train.h"
#include "train/tiled/tiled_function.h"

namespace tbn::nn {
namespace {

TiledWeight weight_of(const TiledWeights& encoding, const TileLayout& layout,
                      const std::vector<std::int64_t>& shape, const TiledLayer& layer) {
  return {encoding, layout, shape, layer.latent,
          layer.alpha.defined() ? layer.alpha : layer.alpha_latent};
}

std::int64_t inputs_of(const std::vector<std::int64_t>& shape) {
  std::int64_t inputs = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) inputs *= shape[i];
  return inputs;
}

void print_encoding(std::ostream& stream, const TiledWeights& encoding) {
  stream << ", p=" << encoding.p << ", alpha=" << to_string(encoding.alpha) << " from "
         << to_string(encoding.alpha_from) << ", latent=" << to_string(encoding.latent) << ")";
}

}  // namespace

void TiledLayer::make(torch::nn::Module& owner, const TiledWeights& encoding,
                      std::vector<std::int64_t> shape, bool with_bias, const char* layer) {
  encoding_ = encoding;
  layout_ = tile_layout(shape[0], inputs_of(shape), encoding.p, layer, encoding.order);
  shape_ = std::move(shape);
  latent =
      owner.register_parameter("latent", torch::empty(latent_shape(encoding, layout_, shape_)));
  alpha = torch::Tensor();
  alpha_latent = torch::Tensor();
  const auto scalars = alpha_shape(encoding, layout_, shape_);
  if (encoding.alpha_from == AlphaSource::kLearned) {
    alpha = owner.register_parameter("alpha", torch::empty(scalars));
  } else if (encoding.alpha_from == AlphaSource::kWeight) {
    alpha_latent = owner.register_parameter("alpha_latent", torch::empty(scalars));
  }
  bias = owner.register_parameter("bias", with_bias ? torch::empty({shape_[0]}) : torch::Tensor(),
                                  /*requires_grad=*/with_bias);
  draw_parameters();
}

// As the trainer starts: latents N(0, 0.1) once summed over the slices, scalars sqrt(2 / m).
void TiledLayer::draw_parameters() {
  const torch::NoGradGuard no_grad;
  const double inputs = static_cast<double>(layout_.inputs);
  const double slices =
      encoding_.latent == LatentForm::kFull ? static_cast<double>(encoding_.p) : 1.0;
  latent.normal_(0, 0.1 / std::sqrt(slices));
  if (alpha.defined()) alpha.fill_(std::sqrt(2 / inputs));
  if (alpha_latent.defined()) alpha_latent.uniform_(-1 / std::sqrt(inputs), 1 / std::sqrt(inputs));
  if (bias.defined()) bias.zero_();
}

torch::Tensor TiledLayer::expanded_weight() const {
  const torch::NoGradGuard no_grad;
  return tbn::expanded_weight(weight_of(encoding_, layout_, shape_, *this));
}

TiledLinearImpl::TiledLinearImpl(const TiledLinearOptions& options_) : options(options_) {
  TiledLinearImpl::reset();
}

void TiledLinearImpl::reset() {
  make(*this, options.encoding(), {options.out_features(), options.in_features()}, options.bias(),
       "TiledLinear");
}

void TiledLinearImpl::pretty_print(std::ostream& stream) const {
  stream << "tbn::nn::TiledLinear(in_features=" << options.in_features()
         << ", out_features=" << options.out_features() << ", bias=" << options.bias();
  print_encoding(stream, encoding_);
}

torch::Tensor TiledLinearImpl::forward(const torch::Tensor& input) {
  return tiled_linear(input, weight_of(encoding_, layout_, shape_, *this), bias);
}

TiledConv2dImpl::TiledConv2dImpl(const TiledConv2dOptions& options_) : options(options_) {
  TiledConv2dImpl::reset();
}

void TiledConv2dImpl::reset() {
  if (options.groups() < 1 || options.in_channels() % options.groups() != 0 ||
      options.out_channels() % options.groups() != 0) {
    throw ConfigError("TiledConv2d: " + std::to_string(options.groups()) +
                      " groups do not divide " + std::to_string(options.in_channels()) +
                      " input and " + std::to_string(options.out_channels()) + " output channels");
  }
  make(*this, options.encoding(),
       {options.out_channels(), options.in_channels() / options.groups(),
        options.kernel_size()->at(0), options.kernel_size()->at(1)},
       options.bias(), "TiledConv2d");
}

void TiledConv2dImpl::pretty_print(std::ostream& stream) const {
  stream << "tbn::nn::TiledConv2d(" << options.in_channels() << ", " << options.out_channels()
         << ", kernel_size=" << options.kernel_size() << ", stride=" << options.stride()
         << ", padding=" << options.padding() << ", groups=" << options.groups()
         << ", bias=" << options.bias();
  print_encoding(stream, encoding_);
}

torch::Tensor TiledConv2dImpl::forward(const torch::Tensor& input) {
  const ConvGeometry geometry{{options.stride()->at(0), options.stride()->at(1)},
                              {options.padding()->at(0), options.padding()->at(1)},
                              options.groups()};
  return tiled_conv2d(input, weight_of(encoding_, layout_, shape_, *this), bias, geometry);
}

}  // namespace tbn::nn
