// The table, its numbers worked out by hand.
#include "support/encoding_cases.h"

namespace tbn::test {

const std::vector<EncodingCase>& encoding_cases() {
  using enum AlphaScope;
  using enum AlphaSource;
  static const std::vector<EncodingCase> all = {
      {.text = "float",
       .yaml = "encoding: float",
       .json = R"({"encoding":"float"})",
       .features = {},
       .bits = 32 * 180,
       .bytes = 4 * 180,
       .sums = 12,
       .weights = FloatWeights{}},
      {.text = "binary",
       .yaml = "encoding: binary",
       .json = R"({"encoding":"tiled","p":1})",
       .features = {"binary"},
       .bits = 180 + 32,
       .bytes = 12 * 2 + 4,
       .sums = 12,
       .weights = binary()},
      {.text = "binary alpha:output",
       .yaml = "encoding: binary, alpha: output",
       .json = R"({"alpha":"output","encoding":"tiled","p":1})",
       .features = {"binary", "output_scalars"},
       .bits = 180 + 12 * 32,
       .bytes = 12 * 2 + 12 * 4,
       .sums = 12,
       .weights = TiledWeights{.p = 1, .alpha = kOutput}},
      {.text = "tiled(p=3)",
       .yaml = "encoding: tiled, p: 3, order: repeat",
       .json = R"({"encoding":"tiled","p":3})",
       .features = {"tiled"},
       .bits = 60 + 3 * 32,
       .bytes = 4 * 2 + 3 * 4,
       .sums = 4,
       .weights = tiled(3)},
      {.text = "tiled(p=3) order:interleave",
       .yaml = "encoding: tiled, p: 3, order: interleave",
       .json = R"({"encoding":"tiled","order":"interleave","p":3})",
       .features = {"interleave", "tiled"},
       .bits = 60 + 3 * 32,
       .bytes = 4 * 2 + 3 * 4,
       .sums = 4,
       .weights = TiledWeights{.p = 3, .order = TileOrder::kInterleave}},
      {.text = "tiled(p=3) alpha:layer alpha_from:scores",
       .yaml = "encoding: tiled, p: 3, alpha: layer, alpha_from: scores",
       .json = R"({"alpha":"layer","alpha_from":"scores","encoding":"tiled","p":3})",
       .features = {"tiled"},
       .bits = 60 + 32,
       .bytes = 4 * 2 + 4,
       .sums = 4,
       .weights = TiledWeights{.p = 3, .alpha = kLayer, .alpha_from = kScores}},
      {.text = "tiled(p=3) alpha_from:weight latent:full",
       .yaml = "encoding: tiled, p: 3, alpha_from: weight, latent: full",
       .json = R"({"alpha_from":"weight","encoding":"tiled","latent":"full","p":3})",
       .features = {"tiled"},
       .bits = 60 + 3 * 32,
       .bytes = 4 * 2 + 3 * 4,
       .sums = 4,
       .weights = TiledWeights{.p = 3, .alpha_from = kWeight, .latent = LatentForm::kFull}},
      {.text = "tiled(p=9)",  // whose tiles cut rows
       .yaml = "encoding: tiled, p: 9",
       .json = R"({"encoding":"tiled","p":9})",
       .features = {"tiled"},
       .bits = 20 + 9 * 32,
       .bytes = 3 + 9 * 4,
       .sums = 12,
       .weights = tiled(9)},
      {.text = "uniform(bits=2)",
       .yaml = "encoding: uniform, bits: 2",
       .json = R"({"bits":2,"encoding":"uniform"})",
       .features = {"uniform"},
       .bits = 2 * 180 + 12 * 32,
       .bytes = 12 * 4 + 12 * 4,
       .sums = 12,
       .weights = uniform(2)},
      {.text = "uniform(bits=5)",
       .yaml = "encoding: uniform, bits: 5",
       .json = R"({"bits":5,"encoding":"uniform"})",
       .features = {"uniform"},
       .bits = 5 * 180 + 12 * 32,
       .bytes = 12 * 10 + 12 * 4,
       .sums = 12,
       .weights = uniform(5)},
      {.text = "uniform(bits=8)",
       .yaml = "encoding: uniform",
       .json = R"({"bits":8,"encoding":"uniform"})",
       .features = {"uniform"},
       .bits = 8 * 180 + 12 * 32,
       .bytes = 12 * 15 + 12 * 4,
       .sums = 12,
       .weights = uniform(8)},
  };
  return all;
}

std::vector<Graph> layers_of(const WeightEncoding& weights) {
  std::vector<Graph> graphs;
  for (const bool norm : {false, true}) {
    const auto add = [&](const Shape& input, const auto& layer) {
      GraphBuilder b("layer");
      const Value y = layer(b.input(input));
      graphs.push_back(b.finish(norm ? y.batch_norm().relu() : y));
    };
    const auto conv = [&](std::int64_t outputs, std::int64_t groups) {
      return [=](Value x) {
        return x.conv(outputs, {.kernel = 3, .groups = groups, .bias = !norm, .weights = weights});
      };
    };
    add({15}, [&](Value x) { return x.linear(12, {.bias = !norm, .weights = weights}); });
    add({5, 6, 5}, conv(12, 1));
    add({6, 5, 5}, conv(12, 2));
    add({12, 5, 4}, conv(12, 12));
  }
  return graphs;
}

}  // namespace tbn::test
