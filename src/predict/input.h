// What a prediction is made of: a network as it is seen from outside, and one input for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/function_ref.h"
#include "graph/passes/units.h"
#include "tbn/rule.h"

namespace tbn {

// What is known of a packed network before it runs.
struct NetworkForm {
  Rule rule;
  Shape input;                 // [C, H, W], [N, F] or [T, C]
  Shape output;                // [classes], [N, classes] or [H, C]
  std::optional<Units> units;  // forecasters: the statistics of each column
  // Which kind of object clouds of points are, from 0, for networks that are told it.
  std::int64_t category = 0;
};

// What the rule says that inputs are: "image", "points", "series"; empty where it does not say.
std::string input_kind(const NetworkForm& form);

struct PredictionInput {
  std::string name;                     // "photos/cat.jpg", "digits.npy[3]", "-"
  std::vector<float> values = {};       // [input], as the network takes it; empty with an error
  std::string error = {};               // why it cannot be read, a sentence; empty: it can
  std::vector<std::string> notes = {};  // sentences for the user
  // Points: the places in the cloud of those that the network is given, [N].
  std::vector<std::int64_t> points = {};
  // Series: seconds since 1970 of the steps ahead, [H]; empty where the table has no dates.
  std::vector<double> times = {};
};

// Takes over one input after another.
using TakeInput = FunctionRef<void(PredictionInput)>;

}  // namespace tbn
