// Which norms start apart, against the networks themselves: those whose input has equal channels at
// the start, whatever lies between the layer and the norm.
#include "train/state/copies.h"

#include <torch/torch.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "support/catch.h"
#include "support/zoo_cases.h"
#include "tbn/model.h"
#include "train/executor/graph_module.h"
#include "train/state/init.h"

using namespace tbn;
using torch::Tensor;

namespace {

// Runs node by node and looks at what each batch norm reads.
class NormInputs final : public GraphModule {
 public:
  explicit NormInputs(const Graph& graph) : GraphModule(graph, torch::kDouble, false) {}

  // Which two channels of the norm's input are equal and not constant, [C, C].
  std::map<std::string, Tensor> equal_channels;

 protected:
  Tensor run(const PlanStep& step, std::vector<Tensor>& values) override {
    const Node& node = graph().node(step.node);
    if (std::holds_alternative<BatchNorm>(node.op)) {
      const Tensor& x = values[static_cast<std::size_t>(node.inputs.front())];
      const auto axis = static_cast<std::int64_t>(channel_axis(node.shape)) + 1;
      equal_channels[node.name] = equal_pairs(x.transpose(0, axis).flatten(1));
    }
    return GraphModule::run(step, values);
  }

 private:
  static Tensor equal_pairs(const Tensor& all) {
    constexpr std::int64_t kEnough = 256;  // values that tell two channels apart
    const Tensor channels = all.narrow(1, 0, std::min(kEnough, all.size(1)));
    const double least = 1e-9 * channels.abs().max().item<double>();
    const Tensor varies = (channels - channels.mean(1, true)).abs().amax(1).ge(least);
    std::vector<Tensor> rows;
    for (std::int64_t i = 0; i < channels.size(0); ++i) {
      rows.push_back((channels - channels[i]).abs().amax(1).lt(least));
    }
    return torch::stack(rows).logical_and(varies).to(torch::kInt).triu(1);
  }
};

void encode_all(Graph& graph, std::int64_t p) {
  for (Node& node : graph.nodes) {
    if (WeightEncoding* weights = weights_of(node.op)) *weights = tiled(p);
  }
}

Tensor some_inputs(const Graph& graph) {
  torch::manual_seed(3);
  std::vector<std::int64_t> sizes = {3};
  const Shape& shape = graph.input_shape();
  sizes.insert(sizes.end(), shape.begin(), shape.end());
  return 100 * torch::randn(sizes, torch::kDouble);
}

// Each norm of the network: whether it starts apart, and whether it should.
struct Norms {
  std::set<std::string> apart;
  std::set<std::string> of_copies;
};

// Over two seeds, since rows of few signs are equal by chance, and signs all alike.
Norms norms_of(const Graph& graph) {
  const torch::NoGradGuard no_grad;
  std::map<std::string, Tensor> equal;
  Norms norms;
  for (const std::uint64_t seed : {1, 2}) {
    NormInputs module(graph);
    initialize(module, InitConfig{.norms = NormStart::kApart}, seed);
    module.eval();
    module.forward(some_inputs(graph));
    for (const auto& [name, pairs] : module.equal_channels) {
      const Tensor weight = module.named_parameters()[name + ".weight"];
      if (weight.min().item<double>() < 0) norms.apart.insert(name);
      const auto found = equal.find(name);
      equal[name] = found == equal.end() ? pairs : found->second * pairs;
    }
  }
  for (const auto& [name, pairs] : equal) {
    if (pairs.any().item<bool>()) norms.of_copies.insert(name);
  }
  return norms;
}

}  // namespace

TEST_CASE("in every family each norm that sees copies starts apart, and no other") {
  std::size_t apart = 0;
  for (const ModelSpec& spec : test::zoo_cases()) {
    for (const std::int64_t p : {2, 4}) {
      Graph graph = build_model(spec);
      encode_all(graph, p);
      const Norms norms = norms_of(graph);
      INFO(spec.type << " at p = " << p);
      CHECK(norms.apart == norms.of_copies);
      apart += norms.apart.size();
      if (spec.type == "vgg_small") CHECK(norms.apart.size() == 6);
    }
    // Without copies every norm starts as it is.
    Graph graph = build_model(spec);
    encode_all(graph, 1);
    GraphModule binary(std::move(graph));
    initialize(binary, InitConfig{.norms = NormStart::kApart}, 1);
    for (const NamedTensor& named : binary.tensors()) {
      if (named.role == TensorRole::kNormWeight) CHECK(named.tensor.min().item<double>() == 1);
    }
  }
  CHECK(apart > 100);
}

TEST_CASE(
    "copies are seen through pools, activations, padding and dropout, and not through layers") {
  const auto starts_apart = [](const std::function<Value(Value)>& between) {
    GraphBuilder b("net");
    Value x = b.input({3, 8, 8}).conv(64, {.kernel = 3, .weights = tiled(4)}).named("layer");
    GraphModule module(b.finish(between(x).batch_norm().named("norm").relu()));
    initialize(module, InitConfig{.norms = NormStart::kApart}, 1);
    const Tensor weight = module.named_parameters()["norm.weight"];
    const Tensor bias = module.named_parameters()["norm.bias"];
    const bool apart = weight.min().item<double>() == -1;
    CHECK((bias.abs().max().item<double>() > 0) == apart);
    return apart;
  };
  CHECK(starts_apart([](Value x) { return x; }));
  CHECK(starts_apart([](Value x) { return x.max_pool(); }));
  CHECK(starts_apart([](Value x) { return x.avg_pool(); }));
  CHECK(starts_apart([](Value x) { return x.global_avg_pool(); }));
  CHECK(starts_apart([](Value x) { return x.relu(); }));
  CHECK(starts_apart([](Value x) { return x.gelu().max_pool(); }));
  CHECK(starts_apart([](Value x) { return x.max_pool().dropout(0.5).relu(); }));
  CHECK(starts_apart([](Value x) { return x.pad({.top = 1}).max_pool(); }));
  CHECK_FALSE(starts_apart([](Value x) { return x.batch_norm(); }));
  CHECK_FALSE(starts_apart([](Value x) { return x.conv(64, {.kernel = 1}); }));
  CHECK_FALSE(starts_apart([](Value x) { return x.flatten(); }));
}

TEST_CASE("what lies between a norm and its activation changes no start, but that there is one") {
  const auto bias = [](const std::function<Value(Value)>& after) {
    GraphBuilder b("net");
    Value x = b.input({3, 8, 8}).conv(64, {.kernel = 3, .weights = tiled(4)}).batch_norm();
    GraphModule module(b.finish(after(x.named("norm"))));
    initialize(module, InitConfig{.norms = NormStart::kApart}, 1);
    return module.named_parameters()["norm.bias"].abs().max().item<double>() > 0;
  };
  CHECK(bias([](Value x) { return x.relu(); }));
  CHECK(bias([](Value x) { return x.max_pool().relu(); }));
  CHECK(bias([](Value x) { return x.avg_pool().gelu(); }));
  CHECK_FALSE(bias([](Value x) { return x.max_pool(); }));
  CHECK_FALSE(bias([](Value x) { return x.conv(64, {.kernel = 1}).relu(); }));
}

TEST_CASE("tiles that cut rows make copies where a row comes again") {
  // Six outputs of 8 inputs at p = 4: tiles of 12 bits, so that output 3 is output 0 again; at p =
  // 16 tiles of 3 bits, with the same period.
  const auto apart = [](std::int64_t outputs, std::int64_t inputs, std::int64_t p) {
    GraphBuilder b("net");
    Value x = b.input({inputs}).linear(outputs, {.weights = tiled(p)}).batch_norm().relu();
    const Norms norms = norms_of(b.finish(x));
    CHECK(norms.apart == norms.of_copies);
    return norms.apart.size() == 1;
  };
  CHECK(apart(6, 8, 4));
  CHECK(apart(6, 8, 16));
  CHECK_FALSE(apart(3, 8, 2));  // tiles of 12 bits: rows 0 .. 2 are all there is
  CHECK_FALSE(apart(6, 8, 1));
}
