// Asks the room of a node's encoding.
#include "graph/node_rows.h"

#include "encodings/encoding.h"
#include "tbn/error.h"

namespace tbn {
namespace {

bool has_scale(const Op& op) {
  if (const auto* conv = std::get_if<Conv2d>(&op)) return conv->scale;
  return std::get<Linear>(op).scale;
}

// One gain per output, its scalar first: that order decides the last bit.
void multiply_gains(LayerRows& rows, std::span<const float> scales) {
  for (Term& term : rows.terms) {
    std::vector<float> gains;
    gains.reserve(static_cast<std::size_t>(rows.outputs));
    for (std::int64_t c = 0; c < rows.outputs; ++c) {
      gains.push_back(term.gain_of(c) * scales[static_cast<std::size_t>(c)]);
    }
    term.gain = {.of = ScalarsOf::kOutputs, .values = std::move(gains)};
  }
}

}  // namespace

LayerDims dims_of(const Graph& graph, const Node& node) {
  const WeightShape shape = weight_shape(graph, node);
  LayerDims dims = {.outputs = shape.outputs,
                    .inputs = shape.inputs,
                    .weight = {shape.outputs, shape.inputs},
                    .where = describe(node)};
  if (const auto* conv = std::get_if<Conv2d>(&node.op)) {
    const Shape& x = graph.node(node.inputs.front()).shape;
    dims.groups = conv->groups;
    dims.weight = {shape.outputs, x[0] / conv->groups, conv->kernel.h, conv->kernel.w};
  }
  return dims;
}

void check_weight_values(const Graph& graph, const TensorMap& tensors, const std::string& where) {
  for (const Node& node : graph.nodes) {
    const WeightEncoding* encoding = weights_of(node.op);
    if (encoding == nullptr) continue;
    LayerDims dims = dims_of(graph, node);
    dims.where = where + ": " + dims.where;
    encoding_of(*encoding).check_values(*encoding, dims, NodeTensors(tensors, node.name));
  }
}

LayerRows layer_rows(const Graph& graph, const TensorMap& tensors, const Node& node) {
  const WeightEncoding& encoding = *weights_of(node.op);
  const NodeTensors own(tensors, node.name);
  LayerRows rows = encoding_of(encoding).rows(encoding, dims_of(graph, node), own);
  if (has_scale(node.op)) multiply_gains(rows, own.values<float>("scale"));
  return rows;
}

}  // namespace tbn
