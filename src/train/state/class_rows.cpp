// Finds each class among those of the file.
#include "train/state/class_rows.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace tbn {

ClassRows match_class_rows(const std::vector<std::string>& there,
                           const std::vector<std::string>& here) {
  ClassRows match;
  const bool tells = std::set<std::string>(there.begin(), there.end()).size() == there.size();
  if (!tells || there == here || there.size() != here.size()) return match;
  for (const std::string& name : here) {
    const auto found = std::find(there.begin(), there.end(), name);
    if (found == there.end()) {
      return {.are_others = true,
              .rows = {},
              .note = fmt::format("its classes are others ({} is none of them), so that the "
                                  "classifier keeps its own start",
                                  in_quotes(name))};
    }
    match.rows.push_back(found - there.begin());
  }
  match.note = "its classes are in another order, and the classifier's rows were matched by name";
  return match;
}

std::set<NodeId> classifier_of(const Graph& graph) {
  std::set<NodeId> nodes;
  for (NodeId id = graph.output;; id = graph.node(id).inputs.front()) {
    nodes.insert(id);
    const Node& node = graph.node(id);
    if (weights_of(node.op) != nullptr || node.inputs.size() != 1) return nodes;
  }
}

}  // namespace tbn
