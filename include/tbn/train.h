/// @file
/// Tiled layers for LibTorch models of your own: drop-in modules in place of torch::nn::Linear and
/// torch::nn::Conv2d whose weights are one binary tile, reused p times (arXiv 2407.12075). Where p
/// divides the outputs, forward and input gradient cost 1 / p of the dense layer, and so does the
/// weight gradient with shared latents (the default).
///
///     struct Net : torch::nn::Module {
///       tbn::nn::TiledConv2d conv{tbn::nn::TiledConv2dOptions(64, 128,
///       3).stride(2).padding(1).p(4)}; torch::nn::BatchNorm2d norm{128};
///       tbn::nn::TiledLinear classifier{tbn::nn::TiledLinearOptions(128, 10).p(2).bias(false)};
///       Net() { register_module("conv", conv); register_module("norm", norm); ... }
///       torch::Tensor forward(torch::Tensor x) {
///         return classifier(norm(conv(x)).relu().mean({2, 3}));
///       }
///     };
///
/// Train the latents with Adam at 1e-2 to 1e-1 and no weight decay; they are the parameters named
/// "latent". The only public header that shows LibTorch.
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

/// The settings that tiled layers share; p must divide the outputs or, failing that, outputs times
/// inputs.
template <class Derived>
class TiledOptions {
 public:
  /// The compression factor; the default is 4.
  Derived& p(std::int64_t value) {
    encoding_.p = value;
    return self();
  }
  /// How many scalars the layer has.
  Derived& alpha(AlphaScope value) {
    encoding_.alpha = value;
    return self();
  }
  /// Where the scalars come from.
  Derived& alpha_from(AlphaSource value) {
    encoding_.alpha_from = value;
    return self();
  }
  /// Whether q shared latents are trained, or n * m full ones as in the paper.
  Derived& latent(LatentForm value) {
    encoding_.latent = value;
    return self();
  }
  /// Which outputs share a row of the tile.
  Derived& order(TileOrder value) {
    encoding_.order = value;
    return self();
  }
  /// All of them together.
  const TiledWeights& encoding() const { return encoding_; }

 private:
  friend Derived;
  TiledOptions() = default;

  Derived& self() { return static_cast<Derived&>(*this); }
  TiledWeights encoding_{.p = 4};
};

/// The options of a TiledLinear: those of torch::nn::Linear, and those of tiled layers.
class TiledLinearOptions : public TiledOptions<TiledLinearOptions> {
 public:
  /// Sizes of the last dimension of input and output.
  TiledLinearOptions(std::int64_t in_features, std::int64_t out_features)
      : in_features_(in_features), out_features_(out_features) {}
  TORCH_ARG(std::int64_t, in_features);
  TORCH_ARG(std::int64_t, out_features);
  TORCH_ARG(bool, bias) = true;
};

/// The options of a TiledConv2d: those of torch::nn::Conv2d, but for dilation and other paddings
/// than zeros, and those of tiled layers.
class TiledConv2dOptions : public TiledOptions<TiledConv2dOptions> {
 public:
  /// Channels of input and output, and the size of the kernel in pixels.
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

/// What both layers hold: their parameters. Those that the encoding does not use are undefined
/// tensors: `alpha` is defined for learned scalars, `alpha_latent` for scalars from `weight`.
class TiledLayer {
 public:
  torch::Tensor latent;        ///< [n, m...], or shared [R, m...] or [q]
  torch::Tensor alpha_latent;  ///< [n, m...]
  torch::Tensor alpha;         ///< [p], [1] or [n]
  torch::Tensor bias;          ///< [n]

  /// How the weight is cut into tiles.
  const TileLayout& layout() const { return layout_; }
  /// B^ [n, m...], detached: what a dense layer would hold.
  torch::Tensor expanded_weight() const;

 protected:
  /// Registers the parameters of a weight of that shape with `owner`. Throws ConfigError, beginning
  /// with `layer`, where p divides neither n nor n * m.
  void make(torch::nn::Module& owner, const TiledWeights& encoding, std::vector<std::int64_t> shape,
            bool with_bias, const char* layer);
  /// Draws the starts of the parameters.
  void draw_parameters();

  TiledWeights encoding_;            ///< how the weight is stored and trained
  TileLayout layout_;                ///< how it is cut into tiles
  std::vector<std::int64_t> shape_;  ///< [n, m...]
};

/// A tiled layer in place of torch::nn::Linear; its holder is TiledLinear.
class TiledLinearImpl : public torch::nn::Cloneable<TiledLinearImpl>, public TiledLayer {
 public:
  /// The default options with these sizes. Throws ConfigError where p = 4 divides neither n nor n *
  /// m.
  TiledLinearImpl(std::int64_t in_features, std::int64_t out_features)
      : TiledLinearImpl(TiledLinearOptions(in_features, out_features)) {}
  /// A layer with these options. Throws ConfigError where p divides neither n nor n * m.
  explicit TiledLinearImpl(const TiledLinearOptions& options_);
  /// Makes the parameters anew and draws their starts.
  void reset() override;
  /// Draws the starts of the parameters anew.
  void reset_parameters() { draw_parameters(); }
  /// Prints the options on one line.
  void pretty_print(std::ostream& stream) const override;
  /// [..., in_features] -> [..., out_features].
  torch::Tensor forward(const torch::Tensor& input);
  TiledLinearOptions options;  ///< as it was made
};
/// The holder of a TiledLinearImpl.
TORCH_MODULE(TiledLinear);

/// A tiled layer in place of torch::nn::Conv2d; its holder is TiledConv2d.
class TiledConv2dImpl : public torch::nn::Cloneable<TiledConv2dImpl>, public TiledLayer {
 public:
  /// The default options with these sizes. Throws ConfigError where p = 4 divides neither n nor n *
  /// m.
  TiledConv2dImpl(std::int64_t in_channels, std::int64_t out_channels,
                  torch::ExpandingArray<2> kernel_size)
      : TiledConv2dImpl(TiledConv2dOptions(in_channels, out_channels, kernel_size)) {}
  /// A layer with these options. Throws ConfigError where p divides neither n nor n * m.
  explicit TiledConv2dImpl(const TiledConv2dOptions& options_);
  /// Makes the parameters anew and draws their starts.
  void reset() override;
  /// Draws the starts of the parameters anew.
  void reset_parameters() { draw_parameters(); }
  /// Prints the options on one line.
  void pretty_print(std::ostream& stream) const override;
  /// [B, in_channels, H, W] -> [B, out_channels, H', W'].
  torch::Tensor forward(const torch::Tensor& input);
  TiledConv2dOptions options;  ///< as it was made
};
/// The holder of a TiledConv2dImpl.
TORCH_MODULE(TiledConv2d);

}  // namespace tbn::nn
