// The step of each node of a packed network, and the order of images between them.
#pragma once

#include <memory>
#include <vector>

#include "runtime/cuda/layer_runner.h"
#include "runtime/cuda/ops.h"
#include "tbn/model.h"

namespace tbn::cuda {

// A node's step, and whether the images that it takes and gives lie channels last.
struct Made {
  Step step;
  bool takes_last = false;
  bool gives_last = false;
  std::unique_ptr<LayerRunner> layer = nullptr;  // which the step runs, of a conv2d or a linear
};

struct NetworkContext {
  const Graph& graph;
  const TensorMap& tensors;
  StepContext steps;
  const LayerOptions& layers;
  Context& device;
};

// `last` says of each node before this one whether its image lies channels last. An op without a
// step does not compile.
Made make_step(const NetworkContext& context, const Node& node, const std::vector<bool>& last);

}  // namespace tbn::cuda
