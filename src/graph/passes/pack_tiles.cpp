// Pass: the latents of tiled layers become the bits and scalars that the packed file holds.
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"
#include "tbn/error.h"

namespace tbn {

namespace {

// Every weight has the magnitude of its bit's shared latent.
std::vector<double> magnitudes_of_shared(const TileLayout& layout, AlphaScope scope,
                                         std::span<const double> s) {
  std::vector<double> values;
  for (std::int64_t k = 0; k < layout.weights(); ++k) {
    values.push_back(s[static_cast<std::size_t>(tile_index(layout, k))]);
  }
  return mean_magnitudes<double>(layout, scope, values);
}

std::vector<double> scalars_of(const Model& model, const Node& node, const TiledWeights& tiled,
                               const TileLayout& layout, std::span<const double> latents) {
  switch (tiled.alpha_from) {
    case AlphaSource::kLearned:
      return doubles_of(model, node.name + ".alpha");
    case AlphaSource::kWeight: {
      const std::vector<double> a = doubles_of(model, node.name + ".alpha_latent");
      return mean_magnitudes<double>(layout, tiled.alpha, a);
    }
    case AlphaSource::kScores:
      return tiled.latent == LatentForm::kShared
                 ? magnitudes_of_shared(layout, tiled.alpha, latents)
                 : mean_magnitudes<double>(layout, tiled.alpha, latents);
  }
  TBN_CHECK(false, "not an alpha source");
}

void pack_layer(Model& model, Node& node, TiledWeights& tiled) {
  const TileLayout layout = tile_layout_of(model.graph, node);
  const std::vector<double> latents = doubles_of(model, node.name + ".latent");
  const std::vector<double> alphas = scalars_of(model, node, tiled, layout, latents);
  // In single precision and slice by slice, as the trainer sums: no sign may change on the way
  // here.
  const std::vector<float> values(latents.begin(), latents.end());
  const std::vector<float> aggregated =
      tiled.latent == LatentForm::kFull ? aggregate<float>(layout, values) : values;

  model.tensors.erase(node.name + ".latent");
  model.tensors.erase(node.name + ".alpha_latent");
  const std::vector<std::uint8_t> bits = pack_tile<float>(layout, aggregated);
  model.tensors[node.name + ".tile"] =
      HostTensor::of<std::uint8_t>({layout.rows(), layout.row_bytes()}, bits);
  put_floats(model, node.name + ".alpha", {layout.scalars(tiled.alpha)}, alphas);
  tiled.alpha_from = TiledWeights{}.alpha_from;
  tiled.latent = TiledWeights{}.latent;
}

}  // namespace

void pack_tiles(Model& model) {
  for (Node& node : model.graph.nodes) {
    WeightEncoding* encoding = weights_of(node.op);
    if (!encoding) continue;
    if (auto* tiled = std::get_if<TiledWeights>(encoding)) pack_layer(model, node, *tiled);
  }
}

}  // namespace tbn
