// Which ops a packed network may contain, checked before anything is computed.
#pragma once

#include <string>

#include "tbn/graph.h"

namespace tbn {

// Throws DataError beginning with `where` for ops that exist in training only: "batch_norm 'x':
// not in a packed network; run the export passes". Also where the expanded weights (with the tables
// of sinusoidal positions), one layer's padded input or what one attention works on would exceed
// kMaxArenaValues.
void check_packed_ops(const Graph& graph, const std::string& where);

// The values of the padded input of a convolution, [C, H + 2 padding, W + 2 padding] with the
// phases of a stride apart (see cpu/reference/conv2d.cpp), or -1 where that overflows.
std::int64_t padded_values(const Conv2d& conv, const Shape& input);

// What the reference kernel of an attention works on: the tokens of one window (all, without one)
// in one head. It never holds the scores of more than one query.
struct AttentionScratch {
  std::int64_t tokens = 0;  // of one window
  std::int64_t width = 0;   // features of a head
  std::int64_t values() const { return 2 * tokens * width + 2 * tokens; }
};
AttentionScratch attention_scratch(const Attention& op, const Shape& output);

}  // namespace tbn
