// The one number by which runs of a task are compared, as checkpoints, metrics.csv and packed files
// name it.
#pragma once

#include <string>

#include "eval/metrics.h"

namespace tbn {

// "accuracy" (top-1, per cent), "miou" (per cent; of instances where objects have categories) or
// "mse".
std::string measure_of(Task task);

double measure_value(const EvalMetrics& metrics);

}  // namespace tbn
