// Spreads what is stored once over the outputs.
#include "runtime/plan/layer_outputs.h"

#include "encodings/node_tensors.h"

namespace tbn {
namespace {

struct Epilogue {
  bool bias;
  ActivationKind activation;
};

Epilogue epilogue_of(const Op& op) {
  if (const auto* conv = std::get_if<Conv2d>(&op)) return {conv->bias, conv->activation};
  const auto& linear = std::get<Linear>(op);
  return {linear.bias, linear.activation};
}

}  // namespace

LayerOutputs layer_outputs(const LayerRows& rows, const TensorMap& tensors, const Node& node) {
  const Epilogue epilogue = epilogue_of(node.op);
  LayerOutputs outputs = {.outputs = rows.outputs,
                          .inputs = rows.inputs,
                          .rows = rows.sums(),
                          .bias = std::vector<float>(static_cast<std::size_t>(rows.outputs), 0.0f),
                          .activation = epilogue.activation};
  if (rows.shares_sums()) {
    outputs.row_step = rows.term.row_step;
    outputs.copy_step = rows.term.copy_step;
  }
  for (std::int64_t c = 0; c < rows.outputs; ++c) outputs.gain.push_back(rows.gain_of(c));
  if (epilogue.bias) {
    const auto bias = NodeTensors(tensors, node.name).values<float>("bias");
    outputs.bias.assign(bias.begin(), bias.end());
  }
  return outputs;
}

}  // namespace tbn
