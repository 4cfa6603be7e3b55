// Tiled layers for LibTorch models of your own: drop-in modules in place of torch::nn::Linear and
// torch::nn::Conv2d whose weights are one binary tile, reused p times (arXiv 2407.12075). Where p
// divides the outputs, forward and input gradient cost 1 / p of the dense layer, and so does the
// weight gradient with shared latents (the default).
//
//   struct Net : torch::nn::Module {
//     tbn::nn::TiledConv2d conv{tbn::nn::TiledConv2dOptions(64, 128, 3).stride(2).padding(1).p(4)};
//     torch::nn::BatchNorm2d norm{128};
//     tbn::nn::TiledLinear classifier{tbn::nn::TiledLinearOptions(128, 10).p(2).bias(false)};
//     Net() { register_module("conv", conv); register_module("norm", norm); ... }
//     torch::Tensor forward(torch::Tensor x) {
//       return classifier(norm(conv(x)).relu().mean({2, 3}));
//     }
//   };
//
// Train the latents with Adam at 1e-2 to 1e-1 and no weight decay; they are the parameters named
// "latent". The only public header that shows LibTorch.
#pragma once

#include <torch/expanding_array.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include <cstdint>
#include <ostream>
#include <vector>

#include "tbn/encodings.h"

namespace tbn::nn {

// The settings that tiled layers share; p must divide the outputs or, failing that, outputs times
// inputs.
template <class Derived>
class TiledOptions {
 public:
  Derived& p(std::int64_t value) {
    encoding_.p = value;
    return self();
  }
  Derived& alpha(AlphaScope value) {
    encoding_.alpha = value;
    return self();
  }
  Derived& alpha_from(AlphaSource value) {
    encoding_.alpha_from = value;
    return self();
  }
  Derived& latent(LatentForm value) {
    encoding_.latent = value;
    return self();
  }
  Derived& order(TileOrder value) {
    encoding_.order = value;
    return self();
  }
  const TiledWeights& encoding() const { return encoding_; }

 private:
  Derived& self() { return static_cast<Derived&>(*this); }
  TiledWeights encoding_{.p = 4};
};

class TiledLinearOptions : public TiledOptions<TiledLinearOptions> {
 public:
  TiledLinearOptions(std::int64_t in_features, std::int64_t out_features)
      : in_features_(in_features), out_features_(out_features) {}
  TORCH_ARG(std::int64_t, in_features);
  TORCH_ARG(std::int64_t, out_features);
  TORCH_ARG(bool, bias) = true;
};

class TiledConv2dOptions : public TiledOptions<TiledConv2dOptions> {
 public:
  TiledConv2dOptions(std::int64_t in_channels, std::int64_t out_channels,
                     torch::ExpandingArray<2> kernel_size)
      : in_channels_(in_channels), out_channels_(out_channels), kernel_size_(kernel_size) {}
  TORCH_ARG(std::int64_t, in_channels);
  TORCH_ARG(std::int64_t, out_channels);
  TORCH_ARG(torch::ExpandingArray<2>, kernel_size);
  TORCH_ARG(torch::ExpandingArray<2>, stride) = 1;
  TORCH_ARG(torch::ExpandingArray<2>, padding) = 0;
  TORCH_ARG(std::int64_t, groups) = 1;
  TORCH_ARG(bool, bias) = true;
};

// What both layers hold. `alpha` is defined for learned scalars, `alpha_latent` for scalars from
// `weight`.
class TiledLayer {
 public:
  torch::Tensor latent;        // [n, m...], or shared [R, m...] or [q]
  torch::Tensor alpha_latent;  // [n, m...]
  torch::Tensor alpha;         // [p], [1] or [n]
  torch::Tensor bias;          // [n]

  const TileLayout& layout() const { return layout_; }
  // B^ [n, m...], detached: what a dense layer would hold.
  torch::Tensor expanded_weight() const;

 protected:
  // Throws ConfigError where p does not divide.
  void make(torch::nn::Module& owner, const TiledWeights& encoding, std::vector<std::int64_t> shape,
            bool with_bias, const char* layer);
  void draw_parameters();

  TiledWeights encoding_;
  TileLayout layout_;
  std::vector<std::int64_t> shape_;
};

class TiledLinearImpl : public torch::nn::Cloneable<TiledLinearImpl>, public TiledLayer {
 public:
  TiledLinearImpl(std::int64_t in_features, std::int64_t out_features)
      : TiledLinearImpl(TiledLinearOptions(in_features, out_features)) {}
  explicit TiledLinearImpl(const TiledLinearOptions& options_);
  void reset() override;
  void reset_parameters() { draw_parameters(); }
  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward(const torch::Tensor& input);  // [..., in] -> [..., out]
  TiledLinearOptions options;
};
TORCH_MODULE(TiledLinear);

class TiledConv2dImpl : public torch::nn::Cloneable<TiledConv2dImpl>, public TiledLayer {
 public:
  TiledConv2dImpl(std::int64_t in_channels, std::int64_t out_channels,
                  torch::ExpandingArray<2> kernel_size)
      : TiledConv2dImpl(TiledConv2dOptions(in_channels, out_channels, kernel_size)) {}
  explicit TiledConv2dImpl(const TiledConv2dOptions& options_);
  void reset() override;
  void reset_parameters() { draw_parameters(); }
  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward(const torch::Tensor& input);  // [B, in, H, W] -> [B, out, H', W']
  TiledConv2dOptions options;
};
TORCH_MODULE(TiledConv2d);

}  // namespace tbn::nn
