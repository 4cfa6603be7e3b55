// Tiled weights, and binary ones, which are tiled with p = 1 (tbn/tile.h has the method).
#include "encodings/tiled.h"

#include "encodings/rooms.h"
#include "tile/reuse.h"

namespace tbn {
namespace {

TileLayout layout_of(const TiledWeights& tiled, const LayerDims& dims) {
  return tile_layout(dims.outputs, dims.inputs, tiled.p, dims.where, tiled.order);
}

// Of rows, a slice of the weight is a copy of them. A folded norm's scale has the scalars in.
Gains gains_of(const TileLayout& layout, const NodeTensors& tensors) {
  if (!tensors.has("alpha")) return {};
  const auto alphas = tensors.values<float>("alpha");
  using Per = Gains::Per;
  const AlphaScope scope = scope_of(layout, alphas.size());
  const Per per = scope == AlphaScope::kLayer  ? Per::kLayer
                  : scope == AlphaScope::kTile ? Per::kCopy
                                               : Per::kOutput;
  return {.per = per, .values = {alphas.begin(), alphas.end()}};
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
      rows.values = FlatSigns{bits, layout.q, tensors.values<float>("alpha")};
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
