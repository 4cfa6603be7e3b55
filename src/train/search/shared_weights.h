// One set of parameters for all networks of a search. The latents of a tiled layer are those of its
// least p; where p is g times as large, a row of the tile is the sum of g of their rows. Weights,
// biases and tables are shared as they are. Scalars, and the batch norm that a layer feeds, are
// apart for each choice of the layer: what makes its copies differ depends on p.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "config/config.h"
#include "search/space.h"
#include "train/executor/graph_module.h"
#include "train/optim/optimizer.h"

namespace tbn {

// Rows [R, ...] -> [R / slices, ...]: the sums of rows that lie R / slices apart, or, side by side,
// of neighbours.
at::Tensor sum_of_slices(const at::Tensor& rows, std::int64_t slices, bool side_by_side);
// A gradient of such sums, for their terms: each takes its share, 1 / slices, so that under plain
// SGD the sums move as latents of their own would.
at::Tensor shared_gradient(const at::Tensor& gradient, std::int64_t slices, bool side_by_side);

class SharedWeights {
 public:
  // Begins with the values of `dearest`, the network of the first choices, where it has them, and
  // else with those that initialisation draws for the other choices.
  SharedWeights(const SearchSpace& space, const GraphModule& dearest, const Config& config);

  struct Parameter {
    std::string key;   // unique: the tensor's name, with the choice that it belongs to
    std::string name;  // of the tensor in a network, by which optimiser groups know it
    TensorRole role = TensorRole::kWeight;
    at::Tensor value;
  };
  const std::vector<Parameter>& parameters() const { return parameters_; }
  std::vector<ParameterGroup> groups(const OptimConfig& optim) const;

  // Copies the parameters of a network of `pick` into it; statistics stay as they are.
  void fill(GraphModule& network, const Pick& pick) const;
  // Adds the network's gradients to those of the shared parameters, and drops them.
  void collect(GraphModule& network, const Pick& pick);

 private:
  // What a tensor of a network is made of.
  struct View {
    std::string key;
    std::int64_t slices = 1;
    bool side_by_side = false;
  };
  View view_of(const Graph& graph, NodeId node, const NamedTensor& named, const Pick& pick) const;
  // The choice that a node's own tensors belong to: "@p=4", or nothing.
  std::string choice_of(const Graph& graph, NodeId node, const NamedTensor& named,
                        const Pick& pick) const;
  void add_missing(const GraphModule& network, const Pick& pick);
  const WeightEncoding& choice(std::size_t layer, const Pick& pick) const;

  const SearchSpace& space_;
  std::vector<Parameter> parameters_;
  std::map<std::string, std::size_t> by_key_;
  std::map<NodeId, std::size_t> layer_of_node_;  // in the space
};

}  // namespace tbn
