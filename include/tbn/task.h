/// @file
/// What a network is asked for: one class per example, one class per point, or the next values of a
/// series.
#pragma once

#include <cstdint>
#include <string_view>

#include "tbn/tensor.h"

namespace tbn {

/// The tasks that networks are trained for.
enum class Task { kClassification, kSegmentation, kForecasting };
std::string_view to_string(Task task);  ///< "classification", ...

/// A task and the sizes that it asks of a network.
struct TaskSpec {
  Task task = Task::kClassification;  ///< which task
  /// Shape of the network's output: logits [K]; logits [N, K] of N points; values [H, C] of H
  /// steps.
  Shape output = {10};
  /// How many of an input's last columns are the same in all its rows: a segmented object's
  /// category, one-hot.
  std::int64_t condition = 0;
};

}  // namespace tbn
