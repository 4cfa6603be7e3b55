// Tiled weights, and binary ones, which are tiled with p = 1 (tbn/tile.h has the method).
#include "encodings/tiled.h"

#include "encodings/rooms.h"
#include "tbn/error.h"
#include "tile/reuse.h"

namespace tbn {
namespace {

TileLayout layout_of(const TiledWeights& tiled, const LayerDims& dims) {
  return tile_layout(dims.outputs, dims.inputs, tiled.p, dims.where, tiled.order);
}

// By their number, where there is one of them alone, of the layer. Of rows, a slice of the weight
// is a copy of them.
ScalarsOf scalars_of(const TileLayout& layout, std::span<const float> alphas) {
  switch (scope_of(layout, alphas.size())) {
    case AlphaScope::kLayer:
      return ScalarsOf::kLayer;
    case AlphaScope::kTile:
      return ScalarsOf::kCopies;
    case AlphaScope::kOutput:
      return ScalarsOf::kOutputs;
  }
  TBN_CHECK(false, "not a scope");
}

// A folded norm's scale has the scalars of rows in.
Gains gains_of(const TileLayout& layout, const NodeTensors& tensors) {
  if (!tensors.has("alpha")) return {};
  const auto alphas = tensors.values<float>("alpha");
  return {.of = scalars_of(layout, alphas), .values = {alphas.begin(), alphas.end()}};
}

class TiledRoom final : public Encoding {
 public:
  std::string name(const WeightEncoding& encoding) const override {
    const std::int64_t p = own(encoding).p;
    return p == 1 ? "binary" : "tiled(p=" + std::to_string(p) + ")";
  }

  LayerRows rows(const WeightEncoding& encoding, const LayerDims& dims,
                 const NodeTensors& tensors) const override {
    const TileLayout layout = layout_of(own(encoding), dims);
    const auto bits = tensors.values<std::uint8_t>("tile");
    LayerRows rows = {.outputs = dims.outputs, .inputs = dims.inputs, .groups = dims.groups};
    if (layout.form == TileForm::kFlat) {
      const auto alphas = tensors.values<float>("alpha");
      rows.values = FlatTile{bits, layout.q, scalars_of(layout, alphas), alphas};
      rows.term.rows = dims.outputs;
      return rows;
    }
    const bool interleaved = layout.order == TileOrder::kInterleave;
    rows.values = SignRows{bits, layout.row_bytes()};
    rows.term = {.rows = layout.rows(),
                 .row_step = interleaved ? layout.p : 1,
                 .copy_step = interleaved ? 1 : layout.rows(),
                 .gain = gains_of(layout, tensors)};
    return rows;
  }

 private:
  static const TiledWeights& own(const WeightEncoding& encoding) {
    return std::get<TiledWeights>(encoding);
  }
};

}  // namespace

const Encoding& tiled_encoding() {
  static const TiledRoom room;
  return room;
}

bool has_shared_gradient(const TiledWeights& weights) {
  return weights.latent == LatentForm::kShared || weights.p == 1;
}

bool norm_sees_maps(const TileLayout& layout, const TiledWeights& weights, std::int64_t groups,
                    bool bias) {
  return reuses_rows(layout, groups) && layout.order == TileOrder::kRepeat &&
         has_shared_gradient(weights) && !bias;
}

std::string_view to_string(AlphaSource source) {
  switch (source) {
    case AlphaSource::kWeight:
      return "weight";
    case AlphaSource::kScores:
      return "scores";
    case AlphaSource::kLearned:
      return "learned";
  }
  return "";
}

std::string_view to_string(LatentForm latent) {
  return latent == LatentForm::kFull ? "full" : "shared";
}

}  // namespace tbn
