// The reduced form of training (R unique maps, statistics of maps, fused norms) against the
// straightforward one, which expands every tile into a dense weight: the same losses, step by step.
#include <torch/torch.h>

#include <vector>

#include "encodings/tiled.h"
#include "graph/node_rows.h"
#include "support/catch.h"
#include "tbn/graph.h"
#include "train/executor/graph_module.h"
#include "train/state/init.h"
#include "train/tiled/tiled_function.h"

using namespace tbn;
using torch::Tensor;

namespace {

// Two residual blocks, one with a stride and a tiled shortcut, and a tiled classifier.
Graph small_residual_net(LatentForm latent) {
  GraphBuilder b("small");
  const WeightEncoding tiled = TiledWeights{4, AlphaScope::kTile, AlphaSource::kLearned, latent};
  Value x = b.input({3, 8, 8});
  x = x.conv(8, {.kernel = 3, .weights = tiled}).named("stem").batch_norm().relu();
  for (const std::int64_t stride : {1, 2}) {
    const auto scope = b.scope("block" + std::to_string(stride));
    const std::int64_t channels = 8 * stride;
    Value y = x.conv(channels, {.kernel = 3, .stride = stride, .weights = tiled});
    y = y.batch_norm().relu().conv(channels, {.kernel = 3, .weights = tiled}).batch_norm();
    Value shortcut = x;
    if (stride > 1) {
      shortcut = x.conv(channels, {.kernel = 1, .stride = stride, .weights = tiled}).batch_norm();
    }
    x = (y + shortcut).relu();
  }
  return b.finish(x.global_avg_pool().linear(4, {.weights = tiled}).named("classifier"));
}

// Runs the same parameters node by node with dense weights B^.
class Straightforward : public GraphModule {
 public:
  explicit Straightforward(const Graph& graph) : GraphModule(graph, torch::kFloat64, false) {}

 protected:
  Tensor run(const PlanStep& step, std::vector<Tensor>& values) override {
    const Node& node = graph().node(step.node);
    const WeightEncoding* encoding = weights_of(node.op);
    if (encoding == nullptr) return GraphModule::run(step, values);
    const Tensor& x = values[static_cast<std::size_t>(node.inputs[0])];
    const Tensor bias = tensor_of(step.node, TensorRole::kBias);
    if (const auto* conv = std::get_if<Conv2d>(&node.op)) {
      const Tensor weight =
          dense(step.node, {conv->out_channels, x.size(1), conv->kernel.h, conv->kernel.w});
      return at::conv2d(x, weight, bias, {conv->stride.h, conv->stride.w},
                        {conv->padding.h, conv->padding.w});
    }
    return at::linear(x, dense(step.node, {std::get<Linear>(node.op).out_features, x.size(1)}),
                      bias);
  }

 private:
  Tensor dense(NodeId id, std::vector<std::int64_t> shape) const {
    const auto& tiled = std::get<TiledWeights>(*weights_of(graph().node(id).op));
    return expanded_weight({tiled, layout_of(tiled, dims_of(graph(), graph().node(id))),
                            std::move(shape), tensor_of(id, TensorRole::kLatent),
                            tensor_of(id, TensorRole::kAlpha)});
  }
};

// The losses of 20 steps of SGD with momentum on random images that stay the same.
std::vector<double> losses(GraphModule& module) {
  torch::manual_seed(5);
  const Tensor x = torch::randn({6, 3, 8, 8}, torch::kFloat64);
  const Tensor labels = torch::randint(0, 4, {6}, torch::kInt64);
  torch::optim::SGD optimizer(module.parameters(), torch::optim::SGDOptions(0.05).momentum(0.9));
  module.train();
  std::vector<double> all;
  for (int step = 0; step < 20; ++step) {
    optimizer.zero_grad();
    const Tensor loss = torch::cross_entropy_loss(module.forward(x), labels);
    loss.backward();
    optimizer.step();
    all.push_back(loss.item<double>());
  }
  return all;
}

}  // namespace

TEST_CASE("twenty steps of the reduced form have the losses of the straightforward one") {
  for (const LatentForm latent : {LatentForm::kShared, LatentForm::kFull}) {
    INFO(to_string(latent));
    const Graph graph = small_residual_net(latent);
    GraphModule reduced(graph, torch::kFloat64);
    Straightforward straightforward(graph);
    initialize(reduced, InitConfig{}, 6);
    {
      const torch::NoGradGuard no_grad;
      for (std::size_t i = 0; i < reduced.tensors().size(); ++i) {
        Tensor to = straightforward.tensors()[i].tensor;
        to.copy_(reduced.tensors()[i].tensor);
      }
    }
    const std::vector<double> ours = losses(reduced), wanted = losses(straightforward);
    CHECK(wanted.back() < 0.8 * wanted.front());  // it learns, so that the steps do matter
    for (std::size_t step = 0; step < wanted.size(); ++step) {
      INFO("step " << step);
      CHECK(ours[step] == Approx(wanted[step]).epsilon(1e-9));
    }
  }
}
