#include "support/micro_cases.h"

#include <cmath>

#include "graph/passes/passes.h"
#include "support/random_model.h"

namespace tbn::test {

namespace {

WeightEncoding tiled_with(std::int64_t p, TileOrder order, AlphaScope alpha) {
  return TiledWeights{.p = p, .alpha = alpha, .order = order};
}

// Linear layers of `inputs` inputs, whose bits end anywhere in a byte or a word.
Graph vector_network(std::int64_t inputs, std::int64_t outputs, WeightEncoding weights, bool bias) {
  GraphBuilder b("vector");
  Value x = b.input({1, 1, inputs}).flatten();
  x = x.linear(outputs, {.bias = bias, .weights = weights}).relu();
  return b.finish(x.linear(5, {.bias = bias, .weights = binary()}));
}

Graph convolution_network(std::int64_t channels, Size2 size, Conv2d conv, bool norm) {
  GraphBuilder b("convolution");
  Value x = b.input({channels, size.h, size.w});
  x = x.conv(conv.out_channels, conv);
  if (norm) x = x.batch_norm();
  x = x.relu();
  return b.finish(x.global_avg_pool().linear(4, {.weights = binary()}));
}

Graph residual_network() {
  GraphBuilder b("residual");
  Value x = b.input({3, 9, 11}).normalize({120, 100, 90}, {60, 70, 50});
  x = x.conv(8, {.kernel = 3, .stride = 2, .weights = binary()}).batch_norm().relu();
  Value y = x.conv(8, {.kernel = 3, .weights = tiled(4)}).batch_norm().relu();
  y = y.conv(8, {.kernel = 3, .weights = tiled(2)}).batch_norm();
  x = (y + x).relu();
  x = x.max_pool({.kernel = 3, .stride = 2, .padding = 1}).batch_norm().relu();
  x = x.avg_pool({.kernel = 2, .stride = 1});
  return b.finish(x.flatten().linear(6, {.weights = tiled(3)}));
}

Graph depthwise_network(WeightEncoding weights, std::int64_t multiplier) {
  GraphBuilder b("depthwise");
  Value x = b.input({6, 8, 7}).normalize(std::vector<float>(6, 110), std::vector<float>(6, 55));
  const std::int64_t channels = 6 * multiplier;
  x = x.conv(channels, {.kernel = {3, 5}, .padding = {1, 2}, .groups = 6, .weights = weights});
  x = x.batch_norm().relu();
  x = x.conv(10, {.kernel = 1, .weights = tiled(2)}).batch_norm();
  return b.finish(x.max_pool({.kernel = 2}).flatten().linear(3, {.weights = FloatWeights{}}));
}

// Ends in bytes, one per output.
Graph activation_network(ActivationKind kind) {
  GraphBuilder b("activation");
  Value x = b.input({2, 6, 6}).normalize({128, 128}, {64, 64});
  x = x.conv(7, {.kernel = 3, .bias = true, .weights = binary()}).activation(kind);
  x = x.conv(4, {.kernel = 2, .stride = 2, .padding = 0}).batch_norm().activation(kind);
  return b.finish(x.global_avg_pool());
}

// A tile whose ends cut rows, in a convolution and after a flatten.
Graph flat_network() {
  GraphBuilder b("flat");
  Value x = b.input({3, 6, 5}).normalize({100, 100, 100}, {70, 70, 70});
  x = x.conv(6, {.kernel = 3, .weights = tiled(9)}).batch_norm().relu();
  x = x.max_pool({.kernel = 2});
  return b.finish(x.flatten().linear(7, {.weights = tiled(4)}));
}

// Pixels that keep their bytes as they are normalised, and are read once more as they came.
Graph pixels_twice_network() {
  GraphBuilder b("pixels");
  const Value x = b.input({2, 5, 6});
  const Value y = x.normalize({90, 90}, {60, 60}).conv(2, {.kernel = 3, .weights = binary()});
  return b.finish((y + x).relu().global_avg_pool().linear(3, {.weights = binary()}));
}

// Logits of each pixel.
Graph map_network() {
  GraphBuilder b("map");
  Value x = b.input({1, 7, 9});
  x = x.conv(8, {.kernel = 3, .weights = tiled(2)}).batch_norm().relu();
  return b.finish(x.conv(3, {.kernel = 1, .bias = true, .weights = binary()}));
}

void add(std::vector<MicroCase>& cases, std::string name, Graph graph) {
  const auto seed = static_cast<std::uint64_t>(cases.size() + 1);
  cases.push_back({std::move(name), pack_model(random_trained(std::move(graph), seed))});
}

}  // namespace

std::vector<MicroCase> micro_cases() {
  std::vector<MicroCase> cases;
  for (const std::int64_t inputs : {1, 7, 8, 9, 31, 32, 33, 39, 40, 63, 65, 100}) {
    add(cases, "vector_" + std::to_string(inputs),
        vector_network(inputs, 8, tiled(inputs % 2 == 0 ? 4 : 2), inputs % 3 == 0));
  }
  add(cases, "vector_interleaved",
      vector_network(45, 12, tiled_with(3, TileOrder::kInterleave, AlphaScope::kTile), true));
  add(cases, "vector_outputs",
      vector_network(45, 12, tiled_with(3, TileOrder::kRepeat, AlphaScope::kOutput), false));
  add(cases, "vector_layer",
      vector_network(45, 12, tiled_with(3, TileOrder::kRepeat, AlphaScope::kLayer), false));
  add(cases, "vector_flat",
      vector_network(45, 14, tiled_with(9, TileOrder::kRepeat, AlphaScope::kTile), true));
  add(cases, "vector_flat_layer",
      vector_network(45, 14, tiled_with(9, TileOrder::kRepeat, AlphaScope::kLayer), false));
  add(cases, "vector_float", vector_network(19, 6, FloatWeights{}, true));
  add(cases, "convolution",
      convolution_network(5, {7, 6}, {.out_channels = 8, .kernel = 3, .weights = tiled(2)}, true));
  add(cases, "convolution_wide",
      convolution_network(
          3, {5, 9}, {.out_channels = 40, .kernel = {1, 5}, .padding = {0, 2}, .weights = binary()},
          false));
  add(cases, "convolution_float",
      convolution_network(4, {6, 6},
                          {.out_channels = 5, .kernel = 5, .stride = 3, .padding = 0, .bias = true},
                          true));
  add(cases, "residual", residual_network());
  add(cases, "depthwise_binary", depthwise_network(binary(), 1));
  add(cases, "depthwise_tiled", depthwise_network(tiled(3), 2));
  add(cases, "depthwise_float", depthwise_network(FloatWeights{}, 1));
  add(cases, "gelu", activation_network(ActivationKind::kGelu));
  add(cases, "silu", activation_network(ActivationKind::kSilu));
  add(cases, "hyperbolic", activation_network(ActivationKind::kTanh));
  add(cases, "logistic", activation_network(ActivationKind::kSigmoid));
  add(cases, "flat", flat_network());
  add(cases, "map", map_network());
  add(cases, "pixels_twice", pixels_twice_network());
  return cases;
}

std::vector<float> random_images(const Graph& graph, std::int64_t count, std::uint64_t seed) {
  std::vector<float> images =
      random_values(count * element_count(graph.input_shape()), seed, 0, 256);
  for (float& value : images) value = std::floor(value);
  return images;
}

}  // namespace tbn::test
