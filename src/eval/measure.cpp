// What measures each task.
#include "eval/measure.h"

namespace tbn {

std::string measure_of(Task task) {
  switch (task) {
    case Task::kClassification:
      return "accuracy";
    case Task::kSegmentation:
      return "miou";
    case Task::kForecasting:
      return "mse";
  }
  return "";
}

double measure_value(const EvalMetrics& metrics) {
  return metrics.task == Task::kForecasting ? metrics.mse : metrics.score();
}

}  // namespace tbn
