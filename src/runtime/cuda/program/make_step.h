// The step of each node of a packed network, and the order of images between them.
#pragma once

#include <memory>
#include <vector>

#include "runtime/cuda/choice/layer_runner.h"
#include "runtime/cuda/step/ops.h"
#include "tbn/model.h"

namespace tbn::cuda {

// A node's step, and whether it takes and gives values with the first dimension last: of images the
// channels.
struct Made {
  DeviceStep step;
  bool takes_last = false;
  bool gives_last = false;
  bool identity = false;                         // its output is its input
  std::unique_ptr<LayerRunner> layer = nullptr;  // which the step runs, of a conv2d or a linear
};

struct NetworkContext {
  const Graph& graph;
  const TensorMap& tensors;
  StepContext steps;
};

// `last` says of each node before this one in which order its value lies. An op without a step does
// not compile.
Made make_step(const NetworkContext& context, NodeId id, const std::vector<bool>& last);

}  // namespace tbn::cuda
