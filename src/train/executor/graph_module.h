// The one torch module of the trainer: registers a graph's parameters under its nodes' names and
// executes the graph with autograd.
#pragma once

#include <torch/torch.h>

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tbn/graph.h"
#include "tbn/model.h"
#include "train/encodings/trained_weight.h"
#include "train/executor/graph_module_ops.h"
#include "train/executor/graph_module_plan.h"

namespace tbn {

class GraphModule : public torch::nn::Module {
 public:
  // Tensors of `dtype`, zero except for running variances and norm weights (1): see initialize().
  // Throws ConfigError for ops and attributes that only a packed graph has. `fuse` off runs node by
  // node.
  explicit GraphModule(Graph graph, torch::ScalarType dtype = torch::kFloat32, bool fuse = true);

  // x: raw pixels [B, ...input_shape], uint8 or floating; converted to the module's dtype. Returns
  // [B, ...output_shape].
  torch::Tensor forward(torch::Tensor x);

  // What the last forward pass gave at add_identity nodes with `orthogonal` set, [B, K, K] each in
  // the order of the graph, with their gradients; empty where it was not in training.
  const std::vector<torch::Tensor>& regularized() const { return regularized_; }

  // Images are executed with channels last in memory (the default): faster on the CPU and on tensor
  // cores.
  void set_channels_last(bool on) { channels_last_ = on; }

  // Puts the channels of kernels last in memory too, as tensor cores want them. The numbers are the
  // same; gradients and an optimiser's state follow the layout.
  void lay_out_weights();

  // Multiplies the momentum of every batch norm's running statistics; it stays 0.01 at least, or
  // what it was.
  void set_norm_momentum_factor(double factor) { norm_momentum_factor_ = factor; }

  double norm_momentum_factor() const { return norm_momentum_factor_; }

  // Before the `number`-th batch, from 1: it moves the running statistics of every batch norm by
  // 1 / number, which makes them the means over all batches, however many there are.
  void average_norms(std::int64_t number) { norm_momentum_ = 1.0 / static_cast<double>(number); }

  const Graph& graph() const { return graph_; }
  // The order of execution. While it runs, each step is a user scope of LibTorch's profilers under
  // its node's name.
  const std::vector<PlanStep>& steps() const { return steps_; }
  torch::ScalarType dtype() const { return dtype_; }
  torch::Device device() const;

  // Parameters and buffers in the order of training_tensors(), node by node.
  std::span<const NamedTensor> tensors() const { return tensors_; }
  std::span<const NamedTensor> tensors_of(NodeId node) const;
  // Undefined where the node has no such tensor.
  torch::Tensor tensor_of(NodeId node, TensorRole role) const;
  // Null where the node has no weight.
  const TrainedWeight* weight_of(NodeId node) const {
    return weights_[static_cast<std::size_t>(node)].get();
  }

 protected:
  // The value of `step`, of the values before it; a module with kernels of its own overrides it.
  virtual torch::Tensor run(const PlanStep& step, std::vector<torch::Tensor>& values);

 private:
  void register_tensor(const TensorSpec& spec);
  void make_weights();
  torch::Tensor prepare_input(torch::Tensor x) const;
  MapPool pool_of(NodeId pool) const;
  torch::Tensor run_conv(const PlanStep& step, const Conv2d& op, const torch::Tensor& x,
                         const torch::Tensor& residual);
  torch::Tensor run_batch_norm(NodeId node, const BatchNorm& op, const torch::Tensor& x) const;
  double momentum_of(const BatchNorm& op) const;
  void check_statistics(NodeId norm, const torch::Tensor& x) const;
  torch::Tensor run_activation(const PlanStep& step, ActivationKind kind,
                               const torch::Tensor& x) const;
  const NodeConstants& constants(NodeId node);
  torch::Tensor run_linear(NodeId node, const torch::Tensor& x) const;

  Graph graph_;
  torch::ScalarType dtype_;
  bool channels_last_ = true;
  double norm_momentum_factor_ = 1;
  std::optional<double> norm_momentum_;  // of every norm, instead of its own
  std::vector<PlanStep> steps_;
  std::vector<int> uses_;
  std::vector<NamedTensor> tensors_;
  std::vector<std::size_t> first_tensor_;  // of each node in tensors_, and the end
  std::vector<std::shared_ptr<const TrainedWeight>> weights_;  // of each node
  NodeId last_weighted_ = -1;
  std::vector<torch::Tensor> regularized_;
  std::map<NodeId, NodeConstants> constants_;  // made when they are first needed
  torch::Device constants_device_ = torch::kCPU;
};

}  // namespace tbn
