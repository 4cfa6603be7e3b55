// Checks whether a data set makes its inputs as those that another network was trained on, where
// that network sees them unchanged: a teacher, or weights that a training starts from.
#pragma once

#include <string>
#include <vector>

#include "tbn/rule.h"

namespace tbn {

// Clauses on the network, "its columns are in another order ('b' is where 'a' was)".
struct InputMatch {
  // A value stands for something else than it did in training: another kind of input, other columns
  // or another order of them, other units, another vertical axis, other categories of parts.
  std::vector<std::string> others;
  // It stands for the same, and was made a little otherwise: other steps, another time from row to
  // row, means and deviations of other rows.
  std::vector<std::string> alike;
};

// What both rules say and say otherwise; sizes are the graph's, and classes are class_match.h's.
InputMatch match_inputs(const Rule& network, const Rule& data);

}  // namespace tbn
