// What each weight layer costs: bits, bytes and multiply-adds, and the network's totals.
#include "graph/summary.h"

#include "encodings/encoding.h"
#include "graph/node_rows.h"

namespace tbn {
namespace {

// `saved` are bits of each scalar that the file does not spend on it.
LayerSummary summarize_layer(const Graph& graph, const Node& node, std::int64_t saved) {
  const WeightEncoding& encoding = *weights_of(node.op);
  const LayerDims dims = dims_of(graph, node);
  const Encoding& room = encoding_of(encoding);
  const EncodingCost cost = room.cost(encoding, dims);
  // At how many places of one example rows are applied: output pixels, or rows of a sequence.
  const std::int64_t positions = element_count(node.shape) / dims.outputs;
  LayerSummary layer;
  layer.name = node.name;
  layer.op = op_name(node.op);
  layer.encoding = room.word_of(encoding);
  layer.form = cost.form;
  layer.shape = {dims.outputs, dims.inputs};
  layer.p = cost.p;
  layer.tile_length = cost.tile_length;
  layer.scalars = cost.scalars;
  layer.weights = dims.outputs * dims.inputs;
  layer.bits = cost.bits - saved * cost.scalars;
  layer.bits_per_weight = static_cast<double>(layer.bits) / static_cast<double>(layer.weights);
  layer.bytes = cost.bytes - saved / 8 * cost.scalars;
  layer.macs = cost.sums * dims.inputs * positions;
  layer.dense_macs = layer.weights * positions;
  return layer;
}

}  // namespace

Summary summarize(const Graph& graph, DType scalars) {
  const auto saved = static_cast<std::int64_t>(8 * (size_of(DType::kF32) - size_of(scalars)));
  Summary summary;
  LayerSummary& totals = summary.totals;
  totals.name = "total";
  for (const Node& node : graph.nodes) {
    if (weights_of(node.op) == nullptr) continue;
    const LayerSummary layer = summarize_layer(graph, node, saved);
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

Summary summarize(const Graph& graph) { return summarize(graph, DType::kF32); }

}  // namespace tbn
