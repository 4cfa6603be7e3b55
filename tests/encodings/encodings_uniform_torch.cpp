// Uniform weights in training: how their steps start and move. From training to a packed network:
// every level in the file is the one that the trainer computes with, bit for bit, and the outputs
// are the same to rounding.
#include <torch/torch.h>

#include <cmath>

#include "config/config.h"
#include "encodings/uniform.h"
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

// A layer of 5 outputs of 24 inputs, in float64.
struct OneLayer {
  explicit OneLayer(std::int64_t bits) : module(graph_of(bits), torch::kFloat64) {
    initialize(module, InitConfig{}, 3);
  }
  static Graph graph_of(std::int64_t bits) {
    GraphBuilder b("one");
    return b.finish(b.input({24}).linear(5, {.bias = false, .weights = uniform(bits)}));
  }
  Tensor tensor(TensorRole role) const { return module.tensor_of(module.graph().output, role); }
  Tensor dense() const { return module.weight_of(module.graph().output)->dense(); }

  GraphModule module;
};

std::vector<float> floats_of(const Tensor& t) {
  const Tensor own = t.contiguous();
  return {own.const_data_ptr<float>(), own.const_data_ptr<float>() + own.numel()};
}

}  // namespace

TEST_CASE("alpha is the largest weight that an output holds, whatever the bits") {
  for (std::int64_t bits = kFewestLevelBits; bits <= kMostLevelBits; ++bits) {
    INFO(bits << " bits");
    const torch::NoGradGuard no_grad;
    const OneLayer layer(bits);
    layer.tensor(TensorRole::kWeight).fill_(1e6);
    const Tensor alpha = layer.tensor(TensorRole::kAlpha);
    CHECK(torch::allclose(layer.dense().amin(1), alpha, 1e-6));
    alpha.neg_();
    CHECK(torch::allclose(layer.dense().amin(1), -alpha, 1e-6));
  }
}

// s = 2 <|w|> / sqrt(Q), and s -= lr dL/ds / sqrt(m Q), with dL/ds by equation 3.
TEST_CASE("steps start where LSQ's do, and SGD moves them as LSQ does, at every width") {
  torch::manual_seed(6);
  for (std::int64_t bits = kFewestLevelBits; bits <= kMostLevelBits; ++bits) {
    INFO(bits << " bits");
    const OneLayer layer(bits);
    const auto low = static_cast<double>(lowest_level(bits));
    const auto high = static_cast<double>(highest_level(bits));
    const Tensor w = layer.tensor(TensorRole::kWeight).detach();
    const Tensor alpha = layer.tensor(TensorRole::kAlpha);
    const auto steps = [&] { return (alpha.detach() / high).clone(); };
    const Tensor before = steps();
    CHECK(torch::allclose(before, 2 * w.abs().mean(1) / std::sqrt(high), 1e-6));

    const Tensor gradient = torch::randn_like(w);
    (layer.dense() * gradient).sum().backward();
    const Tensor v = w / before.unsqueeze(1);
    const Tensor inside = v.gt(low).logical_and_(v.lt(high));
    const Tensor slope = v.clamp(low, high).round() - v * inside;
    const Tensor of_steps = (gradient * slope).sum(1);

    constexpr double kRate = 0.01;
    torch::optim::SGD(std::vector<Tensor>{alpha}, torch::optim::SGDOptions(kRate)).step();
    const Tensor wanted = of_steps * (kRate / std::sqrt(24 * high));
    CHECK(torch::allclose(before - steps(), wanted, 1e-4, 1e-12));
  }
}

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
