// Makes layers from random tile bits, which need no latents and no exporter.
#include "app/bench/packed_layer.h"

#include <random>

#include "encodings/tiled.h"
#include "graph/node_rows.h"

namespace tbn::app {
namespace {

const Node& layer_node(const Graph& layer) { return layer.node(layer.output); }

// Rows of random bits, the padding behind each row 0.
HostTensor random_tile(const TileLayout& layout, std::mt19937& random) {
  HostTensor tile(DType::kU8, {layout.rows(), layout.row_bytes()});
  const auto bytes = tile.values<std::uint8_t>();
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
  const std::int64_t rest = layout.row_bits() % 8;
  if (rest == 0) return tile;
  for (std::int64_t row = 1; row <= layout.rows(); ++row) {
    bytes[static_cast<std::size_t>(row * layout.row_bytes() - 1)] &=
        static_cast<std::uint8_t>((1 << rest) - 1);
  }
  return tile;
}

std::vector<float> random_floats(std::int64_t count, float low, float high, std::mt19937& random) {
  std::uniform_real_distribution<float> uniform(low, high);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = uniform(random);
  return values;
}

}  // namespace

std::vector<float> PackedLayer::weights() const {
  const Graph& graph = network->graph();
  return expanded(layer_rows(graph, network->tensors(), layer_node(graph)));
}

PackedLayer random_layer(const Graph& layer, std::uint32_t seed) {
  const Node& node = layer_node(layer);
  const TileLayout layout =
      layout_of(std::get<TiledWeights>(*weights_of(node.op)), dims_of(layer, node));
  std::mt19937 random(seed);
  const std::vector<float> alphas = random_floats(layout.p, 0.5f, 1.5f, random);
  Model model{layer, {}};
  model.tensors[node.name + ".tile"] = random_tile(layout, random);
  model.tensors[node.name + ".alpha"] =
      HostTensor::of<float>({layout.p}, std::span<const float>(alphas));
  return {Network::from(std::move(model)),
          random_floats(element_count(layer.input_shape()), -1, 1, random)};
}

}  // namespace tbn::app
