// What each weight layer costs: bits, bytes and multiply-adds, and the network's totals.
#include "tbn/model.h"

namespace tbn {
namespace {

constexpr std::int64_t kFloatBits = 32;

// At how many places of one example a weight row is applied: output pixels, or rows of a sequence.
std::int64_t positions(const Node& node, const WeightShape& shape) {
  return element_count(node.shape) / shape.outputs;
}

LayerSummary summarize_layer(const Graph& graph, const Node& node) {
  const WeightShape shape = weight_shape(graph, node);
  const WeightEncoding& encoding = *weights_of(node.op);
  LayerSummary layer;
  layer.name = node.name;
  layer.op = op_name(node.op);
  layer.shape = {shape.outputs, shape.inputs};
  layer.weights = shape.outputs * shape.inputs;
  layer.dense_macs = layer.weights * positions(node, shape);
  layer.macs = layer.dense_macs;
  if (const auto* tiled = std::get_if<TiledWeights>(&encoding)) {
    const TileLayout layout = tile_layout_of(graph, node);
    layer.encoding = tiled->p == 1 ? "binary" : "tiled";
    layer.form = layout.order == TileOrder::kInterleave ? "interleaved" : to_string(layout.form);
    layer.p = tiled->p;
    layer.tile_length = layout.q;
    layer.scalars = layout.scalars(tiled->alpha);
    layer.bits = layout.q + kFloatBits * layer.scalars;
    layer.bytes = layout.packed_bytes() + kFloatBits / 8 * layer.scalars;
    if (reuses_rows(graph, node)) layer.macs /= tiled->p;
  } else {
    layer.encoding = "float";
    layer.bits = kFloatBits * layer.weights;
    layer.bytes = layer.bits / 8;
  }
  layer.bits_per_weight = static_cast<double>(layer.bits) / static_cast<double>(layer.weights);
  return layer;
}

}  // namespace

Summary summarize(const Graph& graph) {
  Summary summary;
  LayerSummary& totals = summary.totals;
  totals.name = "total";
  for (const Node& node : graph.nodes) {
    if (weights_of(node.op) == nullptr) continue;
    const LayerSummary layer = summarize_layer(graph, node);
    totals.scalars += layer.scalars;
    totals.weights += layer.weights;
    totals.bits += layer.bits;
    totals.bytes += layer.bytes;
    totals.macs += layer.macs;
    totals.dense_macs += layer.dense_macs;
    summary.layers.push_back(layer);
  }
  if (totals.weights > 0) {
    totals.bits_per_weight = static_cast<double>(totals.bits) / static_cast<double>(totals.weights);
  }
  return summary;
}

}  // namespace tbn
