// Uniform weights from training to a packed network: every level in the file is the one that the
// trainer computes with, bit for bit, and the outputs are the same to rounding.
#include <torch/torch.h>

#include "config/config.h"
#include "graph/node_rows.h"
#include "graph/passes/passes.h"
#include "support/catch.h"
#include "tbn/graph.h"
#include "tbn/runtime.h"
#include "train/executor/graph_module.h"
#include "train/executor/tensor_io.h"
#include "train/state/init.h"

using namespace tbn;
using torch::Tensor;

namespace {

// Each kind of layer once, with a norm that is folded and without, before a tiled and a float one.
Graph every_layer(const WeightEncoding& weights) {
  GraphBuilder b("levels");
  Value x = b.input({3, 9, 8});
  x = x.conv(8, {.kernel = 3, .stride = 2, .weights = weights}).named("conv").batch_norm().relu();
  x = x.conv(8, {.kernel = 3, .groups = 8, .bias = true, .weights = weights}).named("depthwise");
  x = x.conv(12, {.kernel = 3, .groups = 2, .weights = weights}).named("grouped").batch_norm();
  x = x.conv(8, {.kernel = 1, .weights = tiled(4)}).named("tiled").relu().global_avg_pool();
  x = x.linear(7, {.weights = weights}).named("linear").gelu();
  x = x.linear(6, {.weights = FloatWeights{}}).named("float");
  return b.finish(x.linear(5, {.bias = false, .weights = weights}).named("classifier"));
}

// As training leaves them: steps of both signs and many sizes, one of zero, weights of zeros and
// halves of steps, norms away from the identity.
void disturb(GraphModule& module) {
  const torch::NoGradGuard no_grad;
  for (const NamedTensor& named : module.tensors()) {
    if (named.role == TensorRole::kAlpha) named.tensor.mul_(torch::randn_like(named.tensor));
    if (named.role == TensorRole::kNormWeight) named.tensor.normal_();
    if (named.role == TensorRole::kNormBias) named.tensor.normal_();
    if (named.role == TensorRole::kRunningMean) named.tensor.normal_(0, 0.3);
    if (named.role == TensorRole::kRunningVar) named.tensor.uniform_(0.3, 3);
  }
  for (NodeId id = 0; id < static_cast<NodeId>(module.graph().nodes.size()); ++id) {
    const Tensor weight = module.tensor_of(id, TensorRole::kWeight);
    const Tensor alpha = module.tensor_of(id, TensorRole::kAlpha);
    if (!weight.defined() || !alpha.defined()) continue;
    weight.flatten(1).select(1, 0).zero_();
    weight.flatten(1).select(1, 1).copy_(alpha.abs() * 0.5);
    alpha[0].zero_();
  }
}

std::vector<float> floats_of(const Tensor& t) {
  const Tensor own = t.contiguous();
  return {own.const_data_ptr<float>(), own.const_data_ptr<float>() + own.numel()};
}

}  // namespace

TEST_CASE("the levels and steps in a file are those of the trainer, bit for bit, at every width") {
  for (std::int64_t bits = 2; bits <= 8; ++bits) {
    INFO(bits << " bits");
    const Graph graph = every_layer(uniform(bits));
    GraphModule module(graph);
    initialize(module, InitConfig{}, 3);
    torch::manual_seed(bits);
    disturb(module);
    const torch::NoGradGuard no_grad;
    Model packed{graph, state_of(module)};
    pack_tiles(packed);
    for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes.size()); ++id) {
      const WeightEncoding* encoding = weights_of(graph.node(id).op);
      if (encoding == nullptr || !std::holds_alternative<UniformWeights>(*encoding)) continue;
      INFO(graph.node(id).name);
      const LayerRows rows = layer_rows(packed.graph, packed.tensors, packed.graph.node(id));
      CHECK((expanded(rows) == floats_of(module.weight_of(id)->dense())));
    }
  }
}

TEST_CASE("executor and runtime agree on integers of every width in every kind of layer") {
  for (std::int64_t bits = 2; bits <= 8; ++bits) {
    INFO(bits << " bits");
    const Graph graph = every_layer(uniform(bits));
    GraphModule module(graph);
    initialize(module, InitConfig{}, 5);
    torch::manual_seed(10 + bits);
    disturb(module);
    module.eval();
    const torch::NoGradGuard no_grad;
    const Tensor x = torch::randn({3, 3, 9, 8});
    const Tensor wanted = module.forward(x).contiguous();
    const auto network = Network::from(pack_model({graph, state_of(module)}));
    for (const Backend backend : {Backend::kReference, Backend::kExact}) {
      Session session(network, {.backend = backend});
      Tensor given = torch::empty(wanted.sizes());
      session.run({x.const_data_ptr<float>(), static_cast<std::size_t>(x.numel())}, 3,
                  {given.mutable_data_ptr<float>(), static_cast<std::size_t>(given.numel())});
      const double scale = wanted.abs().max().item<double>();
      REQUIRE(scale > 0);
      CHECK((given - wanted).abs().max().item<double>() < 1e-5 * scale);
    }
  }
}
