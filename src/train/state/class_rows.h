// Matches the rows of a classifier with those in the file that it starts from, by class.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "tbn/graph.h"

namespace tbn {

struct ClassRows {
  bool are_others = false;         // as many classes, and not the same: no row means what it meant
  std::vector<std::int64_t> rows;  // the same classes in another order: for each here its row there
  std::string note;                // of either, for the user
};

// By names that tell classes apart. Neither where the lists are equal, one of them is not known, or
// their lengths differ, as shapes then do.
ClassRows match_class_rows(const std::vector<std::string>& there,
                           const std::vector<std::string>& here);

// The nodes whose outputs are one class per row: from the last layer with weights to the output.
std::set<NodeId> classifier_of(const Graph& graph);

}  // namespace tbn
