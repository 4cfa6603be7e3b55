// The check of each op.
#include "runtime/plan/packed_ops.h"

#include "base/shape.h"
#include "base/text.h"
#include "graph/op_traits.h"
#include "runtime/plan/plan.h"
#include "tbn/error.h"

namespace tbn {

namespace {

[[noreturn]] void refuse_size(const Node& node, const char* what, const std::string& where) {
  throw DataError(where + ": " + describe(node) + ": " + what + " more than " +
                  grouped(static_cast<std::uint64_t>(kMaxArenaValues)) +
                  " values; no such network is run");
}

}  // namespace

std::int64_t padded_values(const Conv2d& conv, const Shape& input) {
  std::int64_t h = 0;
  std::int64_t w = 0;
  if (__builtin_mul_overflow(conv.padding.h, 2, &h) || __builtin_add_overflow(h, input[1], &h) ||
      __builtin_add_overflow(h, conv.stride.h, &h)) {
    return -1;
  }
  if (__builtin_mul_overflow(conv.padding.w, 2, &w) || __builtin_add_overflow(w, input[2], &w) ||
      __builtin_add_overflow(w, conv.stride.w, &w)) {
    return -1;
  }
  // Rounded up to whole strides.
  h = (h - 1) / conv.stride.h * conv.stride.h;
  w = (w - 1) / conv.stride.w * conv.stride.w;
  return checked_element_count({input[0], h, w}).value_or(-1);
}

AttentionScratch attention_scratch(const Attention& op, const Shape& output) {
  const std::int64_t tokens = op.window == 0 ? output[0] : op.window * op.window;
  return {.tokens = tokens, .width = output[1] / op.heads};
}

void check_packed_ops(const Graph& graph, const std::string& where) {
  std::int64_t weights = 0;
  for (const Node& node : graph.nodes) {
    if (traits_of(node.op).use == OpUse::kTrainingOnly) {
      throw DataError(where + ": " + describe(node) +
                      ": not in a packed network; run the export passes");
    }
    if (weights_of(node.op)) {
      const WeightShape shape = weight_shape(graph, node);
      std::int64_t count = 0;
      if (__builtin_mul_overflow(shape.outputs, shape.inputs, &count) ||
          __builtin_add_overflow(weights, count, &weights) || weights > kMaxArenaValues) {
        refuse_size(node, "the weights up to here are", where);
      }
    }
    if (const auto* positions = std::get_if<PositionEmbedding>(&node.op)) {
      // The sinusoidal table is made when a session is.
      if (positions->kind == PositionKind::kSinusoidal) weights += element_count(node.shape);
      if (weights > kMaxArenaValues) refuse_size(node, "the weights up to here are", where);
    }
    if (const auto* attention = std::get_if<Attention>(&node.op)) {
      const std::int64_t values = attention_scratch(*attention, node.shape).values();
      if (values > kMaxArenaValues) refuse_size(node, "what it works on is", where);
    }
    if (const auto* conv = std::get_if<Conv2d>(&node.op)) {
      const std::int64_t values = padded_values(*conv, graph.node(node.inputs.front()).shape);
      if (values < 0 || values > kMaxArenaValues) refuse_size(node, "its padded input is", where);
    }
  }
}

}  // namespace tbn
