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

SumTerm sum_term(const LayerRows& rows, std::size_t t) {
  const Term& term = rows.terms[t];
  SumTerm sums = {.rows = rows.outputs, .gain = {}};
  if (rows.shares_sums()) {
    sums = {.first = term.first_row,
            .rows = term.rows,
            .row_step = term.row_step,
            .copy_step = term.copy_step,
            .gain = {}};
  } else {
    sums.first = rows.sum_of(t, 0);
  }
  for (std::int64_t c = 0; c < rows.outputs; ++c) sums.gain.push_back(term.gain_of(c));
  return sums;
}

}  // namespace

LayerOutputs layer_outputs(const LayerRows& rows, const TensorMap& tensors, const Node& node) {
  const Epilogue epilogue = epilogue_of(node.op);
  LayerOutputs outputs = {.outputs = rows.outputs,
                          .inputs = rows.inputs,
                          .sums = rows.sums(),
                          .terms = {},
                          .bias = std::vector<float>(static_cast<std::size_t>(rows.outputs), 0.0f),
                          .activation = epilogue.activation};
  for (std::size_t t = 0; t < rows.terms.size(); ++t) outputs.terms.push_back(sum_term(rows, t));
  if (epilogue.bias) {
    const auto bias = NodeTensors(tensors, node.name).values<float>("bias");
    outputs.bias.assign(bias.begin(), bias.end());
  }
  return outputs;
}

}  // namespace tbn
