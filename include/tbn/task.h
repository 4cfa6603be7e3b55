// What a network is asked for: one class an example, one class a point, or the values to come.
#pragma once

#include <cstdint>
#include <string_view>

#include "tbn/tensor.h"

namespace tbn {

enum class Task { kClassification, kSegmentation, kForecasting };
std::string_view to_string(Task task);  // "classification", ...

struct TaskSpec {
  Task task = Task::kClassification;
  // Of the network's output: logits [K]; logits [N, K] of N points; values [H, C] of H steps.
  Shape output = {10};
  // How many of an input's last columns are the same in all its rows: a segmented object's
  // category, one-hot.
  std::int64_t condition = 0;
};

}  // namespace tbn
