// What the executor may do with a node, by its op alone.
#pragma once

#include <string>

#include "tbn/graph.h"

namespace tbn {

// Throws ConfigError for ops and attributes that only a packed graph has.
void check_trainable(const Node& node);

// The same error, for `what` of a node.
[[noreturn]] void refuse_packed(const Node& node, const std::string& what);

// Whether the values that `op` gives are its own (no view of its inputs) and autograd is done with
// them, so that an activation may overwrite them.
bool may_overwrite(const Op& op);

}  // namespace tbn
