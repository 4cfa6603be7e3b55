// Random tensors by role, and the odd network.
#include "support/random_model.h"

#include <cmath>
#include <random>

#include "encodings/tiled.h"
#include "encodings/uniform.h"
#include "graph/node_rows.h"

namespace tbn::test {

namespace {

HostTensor random_floats(const TensorSpec& spec, std::uint64_t seed) {
  const std::int64_t count = element_count(spec.shape);
  const auto make = [&](double low, double high) {
    return HostTensor::of<float>(spec.shape, random_values(count, seed, low, high));
  };
  switch (spec.role) {
    case TensorRole::kAlpha:
      return make(0.05, 0.4);
    case TensorRole::kRunningVar:
      return make(0.3, 2.0);
    case TensorRole::kScale:
    case TensorRole::kNormWeight:
    case TensorRole::kEmbedding:
      return make(-1.5, 1.5);
    case TensorRole::kWeight:
    case TensorRole::kLatent:
    case TensorRole::kAlphaLatent:
    case TensorRole::kBias:
    case TensorRole::kNormBias:
    case TensorRole::kRunningMean:
    case TensorRole::kTile:
    case TensorRole::kLevels:
      return make(-0.5, 0.5);
  }
  return {};
}

// Of a row of a tensor of bits.
std::int64_t row_bits_of(const Graph& graph, const Node& node) {
  if (const auto* uniform = std::get_if<UniformWeights>(weights_of(node.op))) {
    return weight_shape(graph, node).inputs * uniform->bits;
  }
  return layout_of(std::get<TiledWeights>(*weights_of(node.op)), dims_of(graph, node)).row_bits();
}

// The bits behind a row are 0.
HostTensor random_bits(const TensorSpec& spec, std::int64_t row_bits, std::uint64_t seed) {
  HostTensor tile(DType::kU8, spec.shape);
  const std::vector<float> values = random_values(tile.count(), seed, 0, 256);
  const auto bytes = tile.values<std::uint8_t>();
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(values[i]);
  const auto row_bytes = static_cast<std::size_t>(spec.shape[1]);
  const auto used = static_cast<unsigned>((row_bits + 7) % 8 + 1);  // bits of a row's last byte
  for (std::size_t i = row_bytes - 1; i < bytes.size(); i += row_bytes) {
    bytes[i] = static_cast<std::uint8_t>(bytes[i] & ((1u << used) - 1));
  }
  return tile;
}

Model random_model(Graph graph, std::uint64_t seed,
                   std::vector<TensorSpec> (*specs_of)(const Graph&, const Node&)) {
  Model model{.graph = std::move(graph), .tensors = {}};
  for (const Node& node : model.graph.nodes) {
    for (const TensorSpec& spec : specs_of(model.graph, node)) {
      ++seed;
      model.tensors[spec.name] = spec.dtype == DType::kU8
                                     ? random_bits(spec, row_bits_of(model.graph, node), seed)
                                     : random_floats(spec, seed);
    }
  }
  return model;
}

}  // namespace

std::vector<float> random_values(std::int64_t count, std::uint64_t seed, double low, double high) {
  std::mt19937_64 engine(seed);
  std::vector<float> values;
  for (std::int64_t i = 0; i < count; ++i) {
    const double unit = static_cast<double>(engine() >> 11) * 0x1p-53;
    values.push_back(static_cast<float>(low + (high - low) * unit));
  }
  return values;
}

// Of integers, alpha is the largest weight of an output: larger, the more levels are below it.
Model random_trained(Graph graph, std::uint64_t seed) {
  Model model = random_model(std::move(graph), seed, training_tensors);
  for (const Node& node : model.graph.nodes) {
    const WeightEncoding* weights = weights_of(node.op);
    const auto* uniform = weights == nullptr ? nullptr : std::get_if<UniformWeights>(weights);
    if (uniform == nullptr) continue;
    const float factor = std::sqrt(static_cast<float>(highest_level(uniform->bits)));
    for (float& alpha : model.tensors.at(node.name + ".alpha").values<float>()) alpha *= factor;
  }
  return model;
}

Model random_packed(Graph graph, std::uint64_t seed) {
  return random_model(std::move(graph), seed, packed_tensors);
}

Graph odd_network() {
  const WeightEncoding paper =
      TiledWeights{.p = 3, .alpha_from = AlphaSource::kWeight, .latent = LatentForm::kFull};
  const WeightEncoding scores =
      TiledWeights{.p = 8, .alpha_from = AlphaSource::kScores, .latent = LatentForm::kFull};
  const WeightEncoding shared_scores = TiledWeights{.p = 2, .alpha_from = AlphaSource::kScores};
  const WeightEncoding one_alpha = TiledWeights{.p = 7, .alpha = AlphaScope::kLayer};
  const WeightEncoding tiny = TiledWeights{.p = 14};

  GraphBuilder b("odd");
  Value x = b.input({2, 13, 9}).normalize({100, 120}, {50, 60});
  x = x.conv(12, {.kernel = 3, .stride = {2, 1}, .weights = tiled(4)}).named("stem");
  x = x.max_pool({.kernel = 3, .stride = 2, .padding = 1}).batch_norm().relu();
  {
    const auto block = b.scope("block");
    Value y = x.conv(12, {.kernel = {3, 1}, .weights = binary()}).batch_norm().relu().dropout(0.2);
    y = y.conv(12, {.kernel = 3, .groups = 2, .bias = true, .weights = paper}).batch_norm();
    x = (y + x).relu();
  }
  // 10 x 12 weights: 8 divides neither outputs nor rows, and tiles of 15 bits cut rows.
  x = x.conv(10, {.kernel = 1, .weights = scores}).named("flat").batch_norm().gelu();
  // Read twice: neither the norm nor the activation may fold into it.
  Value twice = x.conv(6, {.kernel = 2, .stride = 2, .padding = 1, .weights = shared_scores});
  const Value silu = twice.named("twice").activation(ActivationKind::kSilu);
  x = twice.batch_norm() + silu;
  x = x.avg_pool({.kernel = 2, .stride = 1}).flatten();
  x = x.linear(7, {.weights = one_alpha}).batch_norm().activation(ActivationKind::kTanh);
  x = x.linear(6, {.bias = false, .weights = tiny}).batch_norm();  // 6 x 7 weights, tiles of 3 bits
  return b.finish(x.activation(ActivationKind::kSigmoid).linear(5).named("logits"));
}

}  // namespace tbn::test
