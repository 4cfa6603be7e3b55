// A float network run as quickly as LibTorch can on a CPU: the rival of packed networks.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "tbn/model.h"
#include "train/executor/graph_module.h"

namespace tbn {

// The same function for evaluation with fewer nodes: dropout is gone, and batch norms after a layer
// are in its weights and bias. `trained`: a training graph without tiled layers.
Model fold_dense(Model trained);

// Runs a folded network with oneDNN's prepacked convolutions and the quickest form of each linear
// layer; activations, and sums after a convolution, are applied while the layer stores its results.
// In evaluation and inference mode only.
class PrepackedModule : public GraphModule {
 public:
  // Weights are laid out for batches of that size.
  PrepackedModule(const Model& folded, std::int64_t batch);

 protected:
  torch::Tensor run(const PlanStep& step, std::vector<torch::Tensor>& values) override;

 private:
  using Kernel = std::function<torch::Tensor(const std::vector<torch::Tensor>& values)>;
  void prepack_conv(NodeId id);
  void prepack_linear(NodeId id);
  // The only node that reads the value of `id`, where no kernel has taken it yet; else -1.
  NodeId free_user(NodeId id) const;
  // The activation that alone reads the value of `id`, from now on the value itself; else none.
  ActivationKind take_activation(NodeId id);
  std::vector<std::int64_t> sizes_of(NodeId id) const;

  std::int64_t batch_;
  std::vector<int> uses_;
  std::map<NodeId, Kernel> kernels_;  // of the nodes that GraphModule does not run
};

}  // namespace tbn
