// Predictions of a network in training on a whole data set.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include <c10/core/Device.h>

#include "data/source/dataset.h"
#include "eval/metrics.h"

namespace tbn {

class GraphModule;

struct EvalSettings {
  c10::Device device = c10::kCPU;
  std::int64_t batch_size = 500;
  bool bf16 = false;
  int threads = 1;  // of the loader
};

// Outputs for all samples in evaluation mode (the module's mode afterwards is as before), summed
// up.
MetricSums evaluate(GraphModule& module, const Dataset& data, const EvalSettings& settings);

// As above, unless `should_stop`, asked before each batch, ends it: then nothing.
std::optional<MetricSums> evaluate_unless(const std::function<bool()>& should_stop,
                                          GraphModule& module, const Dataset& data,
                                          const EvalSettings& settings);

}  // namespace tbn
