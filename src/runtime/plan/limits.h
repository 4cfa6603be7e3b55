// The memory and the operations that a packed network takes to run, counted from its graph before
// anything is allocated.
#pragma once

#include <string>

#include "tbn/runtime.h"

namespace tbn {

// What a node takes per example, counted in double, so that no sum wraps around.
struct NodeCost {
  double operations = 0;  // multiply-adds, and values that are read or written
  double values = 0;      // of weights as a session holds them, and of what it works on besides
};
NodeCost cost_of(const Graph& graph, const Node& node);

// Throws DataError, beginning with `where`, that names the node that takes the most.
void check_limits(const Graph& graph, const Limits& limits, const std::string& where);

// Bytes that a session of one thread holds for an example, beside the weights.
void check_session_bytes(std::int64_t bytes, const Limits& limits, const std::string& where);

}  // namespace tbn
