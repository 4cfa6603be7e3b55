// The short form of a graph's JSON, which compact packed files hold:
//
//   {"common": [{"op": "conv2d", "kernel": [3, 3], "padding": [1, 1], ...}], "name": "net",
//    "nodes": [{"name": "input", "op": "input", "shape": [1, 28, 28]},
//     {"name": "conv1", "op": "conv2d", "out_channels": 64}, ...]}
//
// `common` is always there and marks the form. It says, for some ops, what their attributes are
// where a node does not say them. A node without `inputs` reads the node before, and without
// `output` the last node is the output. graph_from_json() reads both forms.
#pragma once

#include <string>
#include <string_view>

#include "tbn/graph.h"

namespace tbn {

inline constexpr std::string_view kCommonMember = "common";

// Canonical: equal graphs give equal bytes.
std::string to_short_json(const Graph& graph);

}  // namespace tbn
