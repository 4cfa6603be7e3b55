// A layer of a network on the device: its weights there, and the kernel chosen for each batch size.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/cuda/device/context.h"
#include "runtime/cuda/kernels/chain.h"
#include "runtime/cuda/step/layer_options.h"
#include "runtime/cuda/step/step.h"
#include "tbn/model.h"

namespace tbn::cuda {

class LayerRunner {
 public:
  // `node` is a conv2d or a linear of a checked packed network. Its images lie channels last; a
  // second input is added before the activation (see runtime/plan/fuse_additions.h). Throws
  // ConfigError for an option `kernel` that does not exist.
  LayerRunner(const Graph& graph, const TensorMap& tensors, const Node& node,
              const LayerOptions& options, Context& context);
  ~LayerRunner();
  LayerRunner(LayerRunner&&) noexcept;

  // Chooses the kernel for a batch size; before the other functions, and not while a graph is
  // captured.
  void prepare(std::int64_t batch);
  // Kernels find the first kCounterBytes of the workspace zero, and leave them so.
  std::int64_t workspace_bytes(std::int64_t batch) const;
  void run(const Call& call) const;
  CudaKernelChoice choice(std::int64_t batch) const;
  std::int64_t weight_bytes() const;
  // Its shape for a batch size, and its weights; without x, y and a residual.
  ChainLink link(std::int64_t batch) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tbn::cuda
