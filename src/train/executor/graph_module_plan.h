// The order in which an executor runs a graph: which nodes go together into one step, and when each
// value is needed for the last time.
#pragma once

#include <vector>

#include "tbn/graph.h"

namespace tbn {

// One step runs `node`; for a convolution whose encoding takes its norm in also the nodes that only
// it feeds: a pool of its maps, batch norm, sum with `residual`, ReLU (-1 where there is none). Its
// value is that of `output`.
struct PlanStep {
  NodeId node = -1;
  NodeId pool = -1;  // a max or average pool, with a norm after it alone
  NodeId norm = -1;
  NodeId residual = -1;
  NodeId output = -1;
  bool relu = false;
  std::vector<NodeId> last_uses;  // values that no later step reads
};

// Steps in an order that has every input ready. Without `fuse`, one for each node.
std::vector<PlanStep> plan_steps(const Graph& graph, bool fuse = true);

}  // namespace tbn
