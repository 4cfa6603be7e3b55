// The table, its numbers worked out by hand.
#include "support/encoding_cases.h"

namespace tbn::test {
namespace {

// Integers: a row of 15 takes so many bytes.
EncodingCase uniform_case(std::int64_t bits, const std::string& yaml, std::int64_t row_bytes) {
  return {.text = "uniform(bits=" + std::to_string(bits) + ")",
          .yaml = yaml,
          .json = R"({"bits":)" + std::to_string(bits) + R"(,"encoding":"uniform"})",
          .features = {"uniform"},
          .bits = bits * 180 + 12 * 32,
          .bytes = 12 * row_bytes + 12 * 4,
          .sums = 12,
          .weights = uniform(bits)};
}

// p = 3, whose tile is 4 whole rows, with so many scalars.
EncodingCase thirds_case(const std::string& text, const std::string& yaml, const std::string& json,
                         std::int64_t scalars, const TiledWeights& weights) {
  std::vector<std::string> features = {"tiled"};
  if (weights.order == TileOrder::kInterleave) features.insert(features.begin(), "interleave");
  return {.text = "tiled(p=3)" + text,
          .yaml = "encoding: tiled, p: 3, " + yaml,
          .json = json,
          .features = features,
          .bits = 60 + scalars * 32,
          .bytes = 4 * 2 + scalars * 4,
          .sums = 4,
          .weights = weights};
}

}  // namespace

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
      thirds_case("", "order: repeat", R"({"encoding":"tiled","p":3})", 3, {.p = 3}),
      thirds_case(" order:interleave", "order: interleave",
                  R"({"encoding":"tiled","order":"interleave","p":3})", 3,
                  {.p = 3, .order = TileOrder::kInterleave}),
      thirds_case(" alpha:layer alpha_from:scores", "alpha: layer, alpha_from: scores",
                  R"({"alpha":"layer","alpha_from":"scores","encoding":"tiled","p":3})", 1,
                  {.p = 3, .alpha = kLayer, .alpha_from = kScores}),
      thirds_case(" alpha_from:weight latent:full", "alpha_from: weight, latent: full",
                  R"({"alpha_from":"weight","encoding":"tiled","latent":"full","p":3})", 3,
                  {.p = 3, .alpha_from = kWeight, .latent = LatentForm::kFull}),
      {.text = "tiled(p=9)",  // whose tiles cut rows
       .yaml = "encoding: tiled, p: 9",
       .json = R"({"encoding":"tiled","p":9})",
       .features = {"tiled"},
       .bits = 20 + 9 * 32,
       .bytes = 3 + 9 * 4,
       .sums = 12,
       .weights = tiled(9)},
      uniform_case(2, "encoding: uniform, bits: 2", 4),
      uniform_case(5, "encoding: uniform, bits: 5", 10),
      uniform_case(8, "encoding: uniform", 15),
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
