// Tiled weights: the method of train/tiled, which multiplies the unique rows of a tile alone and
// trains the norm after a convolution on their maps.
#include "encodings/tiled.h"

#include <cmath>
#include <numeric>

#include "tbn/error.h"
#include "train/encodings/rooms.h"
#include "train/tiled/tiled_function.h"

namespace tbn {
namespace {

using torch::Tensor;

double root_mean_square(const Tensor& t) {
  return t.to(torch::kDouble).square().mean().sqrt().item<double>();
}

// W scaled to the magnitude of what `target` holds, if that holds anything.
Tensor scaled_like(const Tensor& w, const Tensor& target) {
  const double wanted = root_mean_square(target);
  const double own = root_mean_square(w);
  return wanted > 0 && own > 0 ? w * (wanted / own) : w;
}

// The parameters that stand for a dense weight W [n, m...], see state/warm_start.h.
class NearestTile {
 public:
  NearestTile(const TiledWeights& encoding, const TileLayout& layout, const Tensor& w)
      : encoding_(encoding),
        layout_(layout),
        w_(w),
        slices_(to_slices(w, layout)),
        s_(slices_.sum(0)) {}

  Tensor value(const NamedTensor& named) const {
    switch (named.role) {
      case TensorRole::kLatent:
        return latent(named.tensor);
      case TensorRole::kAlphaLatent:
        return w_;
      default:
        return alpha();
    }
  }

 private:
  Tensor latent(const Tensor& target) const {
    const bool keeps_scale = encoding_.alpha_from == AlphaSource::kScores;
    if (encoding_.latent == LatentForm::kFull) return keeps_scale ? w_ : scaled_like(w_, target);
    const Tensor shared = s_.reshape(target.sizes());
    return keeps_scale ? shared / slices_.size(0) : scaled_like(shared, target);
  }

  Tensor alpha() const {
    const Tensor tile = torch::where(s_ > 0, 1.0, -1.0);
    const Tensor products = from_slices(slices_ * tile, layout_, w_.sizes());
    switch (encoding_.alpha) {
      case AlphaScope::kTile:
        return to_slices(products, layout_).mean(1);
      case AlphaScope::kLayer:
        return products.mean().reshape({1});
      case AlphaScope::kOutput:
        return products.flatten(1).mean(1);
    }
    TBN_CHECK(false, "unknown scope of scalars");
  }

  const TiledWeights& encoding_;
  const TileLayout& layout_;
  Tensor w_;
  Tensor slices_;  // [p, q]
  Tensor s_;       // [q]
};

class TrainedTile final : public TrainedWeight {
 public:
  TrainedTile(const TiledWeights& encoding, const LayerDims& dims,
              std::span<const NamedTensor> of_node)
      : TrainedWeight(dims, of_node) {
    const Tensor learned = tensor_of(TensorRole::kAlpha);
    weight_ = {encoding, layout_of(encoding, dims), dims.weight, tensor_of(TensorRole::kLatent),
               learned.defined() ? learned : tensor_of(TensorRole::kAlphaLatent)};
  }

  Tensor dense() const override { return expanded_weight(weight_); }
  Tensor linear(const Tensor& x, const Tensor& bias) const override {
    return tiled_linear(x, weight_, bias);
  }
  Tensor conv2d(const Tensor& x, const Tensor& bias, const ConvGeometry& geometry) const override {
    return tiled_conv2d(x, weight_, bias, geometry);
  }
  Tensor conv2d_norm(const Tensor& x, const ConvGeometry& geometry, const MapPool& pool,
                     const NormState& norm, bool training, const Tensor& residual,
                     bool relu) const override {
    return tiled_conv2d_norm(x, weight_, geometry, norm, training, residual, relu, pool);
  }

  Tensor start(const NamedTensor& named, const WeightStart& start) const override {
    const double bound = 1 / std::sqrt(static_cast<double>(dims().inputs));
    switch (named.role) {
      case TensorRole::kLatent:
        return start.config.latents == LatentStart::kKaimingUniform
                   ? start.uniform(named.tensor.sizes(), bound)
                   : start.normal(named.tensor.sizes(), latent_std(start));
      case TensorRole::kAlphaLatent:
        return start.uniform(named.tensor.sizes(), bound);
      default:
        return alphas(named.tensor.sizes(), start);
    }
  }

  void take(const Tensor& w) const override {
    const NearestTile nearest(weight_.encoding, weight_.layout, w);
    for (const NamedTensor& named : tensors()) named.tensor.copy_(nearest.value(named));
  }

 private:
  // Full latents are summed over their slices: the sums shall have the scale of shared ones.
  double latent_std(const WeightStart& start) const {
    const TiledWeights& tiled = weight_.encoding;
    const double slices = tiled.latent == LatentForm::kFull ? static_cast<double>(tiled.p) : 1;
    return start.config.latent_scale / std::sqrt(slices);
  }

  Tensor alphas(at::IntArrayRef sizes, const WeightStart& start) const {
    Tensor scalars = torch::full(sizes, start.gain / std::sqrt(static_cast<double>(dims().inputs)));
    if (start.config.alphas == AlphaStart::kBothSigns) {
      for (std::int64_t i = 1; i < scalars.numel(); i += 2) scalars[i].neg_();
    }
    return scalars;
  }

  TiledWeight weight_;
};

class TiledRoom final : public TrainedRoom {
 public:
  std::shared_ptr<const TrainedWeight> make(const WeightEncoding& encoding, const LayerDims& dims,
                                            std::span<const NamedTensor> of_node) const override {
    return std::make_shared<TrainedTile>(own(encoding), dims, of_node);
  }
  bool takes_norm(const WeightEncoding& encoding, const LayerDims& dims, bool bias) const override {
    return norm_sees_maps(layout_of(own(encoding), dims), own(encoding), dims.groups, bias);
  }
  bool makes_copies(const WeightEncoding& encoding, const LayerDims& dims) const override {
    const TileLayout layout = layout_of(own(encoding), dims);
    if (layout.p == 1) return false;
    if (layout.order == TileOrder::kInterleave) return true;
    // Output c begins at bit c m of the tiles one after another, q bits each: it is the output
    // c + q / gcd(q, m) over again, which is c + R where tiles are whole rows. In another group it
    // sees other inputs, which may be copies themselves: those of a depthwise layer.
    return layout.q / std::gcd(layout.q, layout.inputs) < layout.outputs;
  }
  // The fan-out's ReLU is taken from its result, and interleaved outputs are a view of it.
  bool overwritable() const override { return false; }

 private:
  static const TiledWeights& own(const WeightEncoding& encoding) {
    return std::get<TiledWeights>(encoding);
  }
};

}  // namespace

const TrainedRoom& trained_tiled() {
  static const TiledRoom room;
  return room;
}

}  // namespace tbn
