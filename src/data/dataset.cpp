// Sizes that follow from a spec.
#include "data/dataset.h"

namespace tbn {

std::string to_string(Split split) {
  switch (split) {
    case Split::kTrain:
      return "train";
    case Split::kValidation:
      return "validation";
    case Split::kTest:
      return "test";
  }
  return "";
}

std::int64_t SampleSpec::labels() const {
  switch (task.task) {
    case Task::kClassification:
      return 1;
    case Task::kSegmentation:
      return task.output.front();
    case Task::kForecasting:
      return 0;
  }
  return 0;
}

std::int64_t SampleSpec::targets() const {
  return task.task == Task::kForecasting ? element_count(task.output) : 0;
}

}  // namespace tbn
