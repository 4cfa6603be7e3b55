// Which norms start apart, against the networks themselves: those whose input has equal channels at
// the start, whatever lies between the layer and the norm.
#include "train/state/copies.h"

#include <torch/torch.h>

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
  explicit NormInputs(Graph graph) : GraphModule(std::move(graph), torch::kDouble, false) {}

  // Whether two channels of the norm's input are equal and not constant.
  std::map<std::string, bool> equal_channels;

 protected:
  Tensor run(const PlanStep& step, std::vector<Tensor>& values) override {
    const Node& node = graph().node(step.node);
    if (std::holds_alternative<BatchNorm>(node.op)) {
      const Tensor& x = values[static_cast<std::size_t>(node.inputs.front())];
      const auto axis = static_cast<std::int64_t>(channel_axis(node.shape)) + 1;
      equal_channels[node.name] = has_equal(x.transpose(0, axis).flatten(1));
    }
    return GraphModule::run(step, values);
  }

 private:
  static bool has_equal(const Tensor& channels) {
    const Tensor scale = channels.abs().max();
    for (std::int64_t i = 0; i < channels.size(0); ++i) {
      if ((channels[i] - channels[i].mean()).abs().max().item<double>() <
          1e-9 * scale.item<double>()) {
        continue;
      }
      for (std::int64_t j = i + 1; j < channels.size(0); ++j) {
        const Tensor difference = (channels[i] - channels[j]).abs().max();
        if (difference.item<double>() < 1e-9 * scale.item<double>()) return true;
      }
    }
    return false;
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

Norms norms_of(Graph graph) {
  NormInputs module(std::move(graph));
  initialize(module, InitConfig{.norms = NormStart::kApart}, 1);
  module.eval();
  const torch::NoGradGuard no_grad;
  module.forward(some_inputs(module.graph()));
  Norms norms;
  for (const auto& [name, equal] : module.equal_channels) {
    const Tensor weight = module.named_parameters()[name + ".weight"];
    if (weight.min().item<double>() < 0) norms.apart.insert(name);
    if (equal) norms.of_copies.insert(name);
  }
  return norms;
}

}  // namespace

TEST_CASE("in every family each norm that sees copies starts apart, and no other") {
  std::size_t apart = 0;
  for (const ModelSpec& spec : test::zoo_cases()) {
    for (const std::int64_t p : {1, 2, 4}) {
      Graph graph = build_model(spec);
      encode_all(graph, p);
      const Norms norms = norms_of(std::move(graph));
      INFO(spec.type << " at p = " << p);
      CHECK(norms.apart == norms.of_copies);
      if (p == 1) CHECK(norms.apart.empty());
      apart += norms.apart.size();
      if (spec.type == "vgg_small") CHECK(norms.apart.size() == (p == 1 ? 0U : 6U));
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
  // Six outputs of 8 inputs at p = 4: tiles of 12 bits, so that output 3 is output 0 again; at p = 16
  // tiles of 3 bits, with the same period.
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
