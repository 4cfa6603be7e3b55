// Tiled weights, and binary ones, which are tiled with p = 1 (tbn/tile.h has the method).
#include "encodings/tiled.h"

#include <algorithm>

#include "encodings/rooms.h"
#include "tbn/error.h"
#include "tile/reuse.h"

namespace tbn {
namespace {

constexpr std::int64_t kFloatBits = 32;

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

// Every weight has the magnitude of its bit's shared latent.
std::vector<double> magnitudes_of_shared(const TileLayout& layout, AlphaScope scope,
                                         std::span<const double> s) {
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(layout.weights()));
  for (std::int64_t k = 0; k < layout.weights(); ++k) {
    values.push_back(s[static_cast<std::size_t>(tile_index(layout, k))]);
  }
  return mean_magnitudes<double>(layout, scope, values);
}

// The scalars as they were trained: a tensor, or the means that the paper takes.
std::vector<double> trained_scalars(const TiledWeights& tiled, const TileLayout& layout,
                                    const EditableTensors& tensors,
                                    std::span<const double> latents) {
  switch (tiled.alpha_from) {
    case AlphaSource::kLearned:
      return tensors.doubles("alpha");
    case AlphaSource::kWeight:
      return mean_magnitudes<double>(layout, tiled.alpha, tensors.doubles("alpha_latent"));
    case AlphaSource::kScores:
      return tiled.latent == LatentForm::kShared
                 ? magnitudes_of_shared(layout, tiled.alpha, latents)
                 : mean_magnitudes<double>(layout, tiled.alpha, latents);
  }
  TBN_CHECK(false, "not an alpha source");
}

std::vector<Field> make_fields() {
  using enum AlphaScope;
  using enum AlphaSource;
  Field p = number_field<&TiledWeights::p>("p", "compression factor of tiled layers", 1, 65536, 4);
  p.is_main = true;
  p.question = "which factor tiles";
  Field order = word_field<&TiledWeights::order, TileOrder::kRepeat, TileOrder::kInterleave>(
      "order",
      "outputs that share a row lie n / p apart, or side by side; auto: repeat, but side by side "
      "for steps ahead unless n / p are whole seasons");
  order.open = "auto";
  order.configured = order.open;
  return {p,
          word_field<&TiledWeights::alpha, kTile, kLayer, kOutput>(
              "alpha", "p scalars per layer, one, or one per output"),
          word_field<&TiledWeights::alpha_from, kLearned, kWeight, kScores>(
              "alpha_from", "trained, or means of a second tensor or the latents"),
          word_field<&TiledWeights::latent, LatentForm::kShared, LatentForm::kFull>(
              "latent", "q latents per layer, or n * m as the paper"),
          order};
}

class TiledRoom final : public Encoding {
 public:
  std::string_view word() const override { return "tiled"; }
  WeightEncoding standard() const override { return TiledWeights{}; }
  std::span<const Field> fields() const override {
    static const std::vector<Field> all = make_fields();
    return all;
  }
  std::vector<std::string_view> words() const override { return {"binary", "tiled"}; }
  std::string_view word_of(const WeightEncoding& encoding) const override {
    return own(encoding).p == 1 ? "binary" : "tiled";
  }
  void settle(WeightEncoding& encoding, std::string_view word) const override {
    auto& tiled = std::get<TiledWeights>(encoding);
    if (word == "binary") tiled.p = 1;
    if (tiled.p == 1) tiled.order = TileOrder::kRepeat;
  }
  std::optional<Contradiction> contradiction(const WeightEncoding& encoding) const override {
    const TiledWeights& tiled = own(encoding);
    if (tiled.p == 1 || tiled.latent != LatentForm::kShared ||
        tiled.alpha_from != AlphaSource::kScores || tiled.alpha == AlphaScope::kLayer) {
      return {};
    }
    return Contradiction{"alpha_from",
                         "scores of shared latents give each slice the same scalars; use alpha: "
                         "layer, or latent: full"};
  }
  std::string name(const WeightEncoding& encoding) const override {
    const std::int64_t p = own(encoding).p;
    return p == 1 ? "binary" : "tiled(p=" + std::to_string(p) + ")";
  }

  void check(const WeightEncoding& encoding, const LayerDims& dims) const override {
    layout_of(own(encoding), dims);
  }

  void fit_steps(WeightEncoding& encoding, const LayerDims& dims,
                 const StepsAhead& steps) const override {
    auto& tiled = std::get<TiledWeights>(encoding);
    tiled.order = order_by_steps(steps, dims.outputs, tiled.p);
  }

  // Every p in whole rows that is a multiple of the least one: then the rows of the one are sums of
  // those of the other, and all can be trained together (train/search). Scalars grow with p, so
  // that a large one may store more than a smaller one: it is left out, and the least p is always
  // the one that stores most.
  std::vector<WeightEncoding> choices(const WeightEncoding& encoding, const LayerDims& dims,
                                      const ChoiceLimits& limits) const override {
    std::vector<std::int64_t> factors = limits.factors;
    std::ranges::sort(factors);
    std::int64_t least = 0;
    std::int64_t bits = 0;  // of the last one found
    std::vector<WeightEncoding> found;
    for (const std::int64_t p : factors) {
      if (dims.outputs % p != 0 || dims.outputs / p < limits.least_rows) continue;
      if (least != 0 && p % least != 0) continue;
      TiledWeights choice = own(encoding);
      choice.p = p;
      if (p == 1) choice.order = TileOrder::kRepeat;
      if (contradiction(choice)) continue;
      const std::int64_t own_bits = cost(choice, dims).bits;
      if (least != 0 && own_bits >= bits) continue;
      if (least == 0) least = p;
      bits = own_bits;
      found.emplace_back(choice);
    }
    if (found.empty()) found.push_back(encoding);
    return found;
  }

  EncodingCost cost(const WeightEncoding& encoding, const LayerDims& dims) const override {
    const TiledWeights& tiled = own(encoding);
    const TileLayout layout = layout_of(tiled, dims);
    const bool interleaved = layout.order == TileOrder::kInterleave;
    const std::int64_t scalars = layout.scalars(tiled.alpha);
    return {.form = interleaved ? "interleaved" : std::string(to_string(layout.form)),
            .p = tiled.p,
            .tile_length = layout.q,
            .scalars = scalars,
            .bits = layout.q + kFloatBits * scalars,
            .bytes = layout.packed_bytes() + kFloatBits / 8 * scalars,
            .sums = reuses_rows(layout, dims.groups) ? layout.rows() : dims.outputs};
  }

  std::vector<TensorSpec> training_tensors(const WeightEncoding& encoding,
                                           const LayerDims& dims) const override {
    const TiledWeights& tiled = own(encoding);
    const TileLayout layout = layout_of(tiled, dims);
    Shape latent = dims.weight;
    if (tiled.latent == LatentForm::kShared) {
      latent.front() = layout.rows();
      if (layout.form == TileForm::kFlat) latent = {layout.q};
    }
    std::vector<TensorSpec> specs = {
        {.name = "latent", .role = TensorRole::kLatent, .shape = latent}};
    if (tiled.alpha_from == AlphaSource::kWeight) {
      specs.push_back(
          {.name = "alpha_latent", .role = TensorRole::kAlphaLatent, .shape = dims.weight});
    } else if (tiled.alpha_from == AlphaSource::kLearned) {
      specs.push_back(alpha_spec(tiled, layout));
    }
    return specs;
  }

  std::vector<TensorSpec> packed_tensors(const WeightEncoding& encoding, const LayerDims& dims,
                                         bool scaled) const override {
    const TileLayout layout = layout_of(own(encoding), dims);
    std::vector<TensorSpec> specs = {{.name = "tile",
                                      .role = TensorRole::kTile,
                                      .dtype = DType::kU8,
                                      .shape = {layout.rows(), layout.row_bytes()}}};
    const bool is_absorbed = scaled && layout.form == TileForm::kRows;
    if (!is_absorbed) specs.push_back(alpha_spec(own(encoding), layout));
    return specs;
  }

  void pack(WeightEncoding& encoding, const LayerDims& dims,
            EditableTensors& tensors) const override {
    auto& tiled = std::get<TiledWeights>(encoding);
    const TileLayout layout = layout_of(tiled, dims);
    const std::vector<double> latents = tensors.doubles("latent");
    const std::vector<double> alphas = trained_scalars(tiled, layout, tensors, latents);
    // In single precision and slice by slice, as the trainer sums: no sign may change on the way
    // here.
    const std::vector<float> values(latents.begin(), latents.end());
    const std::vector<float> aggregated =
        tiled.latent == LatentForm::kFull ? aggregate<float>(layout, values) : values;

    tensors.erase("latent");
    tensors.erase("alpha_latent");
    tensors.put("tile", HostTensor::of<std::uint8_t>({layout.rows(), layout.row_bytes()},
                                                     pack_tile<float>(layout, aggregated)));
    tensors.put_floats("alpha", {layout.scalars(tiled.alpha)}, alphas);
    tiled.alpha_from = TiledWeights{}.alpha_from;
    tiled.latent = TiledWeights{}.latent;
  }

  // Scalars of a tile whose ends cut rows are no factors of outputs.
  void absorb(const WeightEncoding& encoding, const LayerDims& dims, EditableTensors& tensors,
              std::span<double> scale) const override {
    const TileLayout layout = layout_of(own(encoding), dims);
    if (layout.form != TileForm::kRows) return;
    const std::vector<double> alphas = tensors.doubles("alpha");
    const AlphaScope scope = scope_of(layout, alphas.size());
    for (std::size_t c = 0; c < scale.size(); ++c) {
      const std::int64_t first = static_cast<std::int64_t>(c) * layout.inputs;
      scale[c] *= alphas[static_cast<std::size_t>(scalar_index(layout, scope, first))];
    }
    tensors.erase("alpha");
  }

  std::vector<std::string_view> features(const WeightEncoding& encoding) const override {
    const TiledWeights& tiled = own(encoding);
    std::vector<std::string_view> words = {word_of(encoding)};
    if (tiled.order == TileOrder::kInterleave) words.push_back("interleave");
    if (tiled.alpha == AlphaScope::kOutput) words.push_back("output_scalars");
    return words;
  }

  LayerRows rows(const WeightEncoding& encoding, const LayerDims& dims,
                 const NodeTensors& tensors) const override {
    const TileLayout layout = layout_of(own(encoding), dims);
    const auto bits = tensors.values<std::uint8_t>("tile");
    LayerRows rows = {.outputs = dims.outputs, .inputs = dims.inputs, .groups = dims.groups};
    if (layout.form == TileForm::kFlat) {
      const auto alphas = tensors.values<float>("alpha");
      rows.values = FlatTile{bits, layout.q, scalars_of(layout, alphas), alphas};
      rows.terms = {{.rows = dims.outputs, .gain = {}}};
      return rows;
    }
    const bool interleaved = layout.order == TileOrder::kInterleave;
    rows.values = SignRows{bits, layout.row_bytes()};
    rows.terms = {{.rows = layout.rows(),
                   .row_step = interleaved ? layout.p : 1,
                   .copy_step = interleaved ? 1 : layout.rows(),
                   .gain = gains_of(layout, tensors)}};
    return rows;
  }

 private:
  static const TiledWeights& own(const WeightEncoding& encoding) {
    return std::get<TiledWeights>(encoding);
  }
  static TensorSpec alpha_spec(const TiledWeights& tiled, const TileLayout& layout) {
    return {.name = "alpha", .role = TensorRole::kAlpha, .shape = {layout.scalars(tiled.alpha)}};
  }
};

}  // namespace

const Encoding& tiled_encoding() {
  static const TiledRoom room;
  return room;
}

TileLayout layout_of(const TiledWeights& weights, const LayerDims& dims) {
  return tile_layout(dims.outputs, dims.inputs, weights.p, dims.where, weights.order);
}

bool has_shared_gradient(const TiledWeights& weights) {
  return weights.latent == LatentForm::kShared || weights.p == 1;
}

bool norm_sees_maps(const TileLayout& layout, const TiledWeights& weights, std::int64_t groups,
                    bool bias) {
  return reuses_rows(layout, groups) && layout.order == TileOrder::kRepeat &&
         has_shared_gradient(weights) && !bias;
}

TileOrder order_by_steps(const StepsAhead& steps, std::int64_t outputs, std::int64_t p) {
  const bool are_steps = steps.horizon > 0 && outputs == steps.horizon;
  if (!are_steps || p < 2 || outputs % p != 0) return TileOrder::kRepeat;
  const bool whole_seasons = steps.season > 0 && outputs / p % steps.season == 0;
  return whole_seasons ? TileOrder::kRepeat : TileOrder::kInterleave;
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
