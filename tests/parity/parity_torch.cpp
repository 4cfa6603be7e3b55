// The trainer's executor against the runtime over a packed model: two programs that share no
// arithmetic must give the same logits. One table holds a network for every op; an op without one
// fails the test.
#include <torch/torch.h>

#include <set>

#include "config/config.h"
#include "graph/passes/passes.h"
#include "support/catch.h"
#include "tbn/models.h"
#include "tbn/policy.h"
#include "tbn/runtime.h"
#include "train/graph_module.h"
#include "train/init.h"
#include "train/tensor_io.h"

using namespace tbn;
using torch::Tensor;

namespace {

struct ParityCase {
  const char* name;
  Graph (*make)();
};

Graph finish(const char* name, const Shape& input, Value (*body)(GraphBuilder&, Value)) {
  GraphBuilder b(name);
  Value x = b.input(input);
  return b.finish(body(b, x));
}

WeightEncoding coded(std::int64_t p, AlphaScope scope, AlphaSource source, LatentForm latent) {
  return TiledWeights{p, scope, source, latent};
}

// Every op at odd sizes, in every place that the passes treat apart.
const ParityCase kCases[] = {
    {"normalize",
     [] {
       return finish("n", {3, 5, 4}, [](GraphBuilder&, Value x) {
         return x.normalize({120, 110, 100}, {60, 50, 70}).flatten().linear(3);
       });
     }},
    {"conv2d, float, groups and bias",
     [] {
       return finish("c", {4, 9, 7}, [](GraphBuilder&, Value x) {
         return x.conv(
             6, {.kernel = {3, 2}, .stride = {2, 1}, .padding = {1, 0}, .groups = 2, .bias = true});
       });
     }},
    {"conv2d, rows, no norm",
     [] {
       return finish("c", {3, 7, 7}, [](GraphBuilder&, Value x) {
         return x.conv(12, {.kernel = 3, .bias = true, .weights = tiled(4)}).relu();
       });
     }},
    {"conv2d, rows, norm",
     [] {
       return finish("c", {3, 7, 5}, [](GraphBuilder&, Value x) {
         return x.conv(12, {.kernel = 3, .stride = 2, .weights = tiled(4)}).batch_norm().relu();
       });
     }},
    {"conv2d, rows, bias and norm",
     [] {
       return finish("c", {3, 7, 5}, [](GraphBuilder&, Value x) {
         return x.conv(6, {.kernel = 3, .bias = true, .weights = tiled(2)}).batch_norm();
       });
     }},
    {"conv2d, full latents, alpha of a layer from weight",
     [] {
       return finish("c", {5, 6, 6}, [](GraphBuilder&, Value x) {
         return x
             .conv(9, {.kernel = 3,
                       .weights =
                           coded(3, AlphaScope::kLayer, AlphaSource::kWeight, LatentForm::kFull)})
             .batch_norm();
       });
     }},
    {"conv2d, flat",
     [] {
       return finish("c", {2, 6, 5}, [](GraphBuilder&, Value x) {
         return x
             .conv(6, {.kernel = 3,
                       .weights =
                           coded(4, AlphaScope::kTile, AlphaSource::kScores, LatentForm::kFull)})
             .batch_norm()
             .relu();
       });
     }},
    {"conv2d, tiled groups",
     [] {
       return finish("c", {4, 6, 5}, [](GraphBuilder&, Value x) {
         return x.conv(8, {.kernel = 3, .groups = 2, .weights = tiled(4)}).batch_norm();
       });
     }},
    {"conv2d, binary depthwise",
     [] {
       return finish("c", {5, 6, 5}, [](GraphBuilder&, Value x) {
         return x.conv(5, {.kernel = 3, .groups = 5, .weights = binary()}).batch_norm().relu();
       });
     }},
    {"linear, float",
     [] {
       return finish("l", {7}, [](GraphBuilder&, Value x) {
         return x.linear(5).batch_norm().relu().linear(3, {.bias = false});
       });
     }},
    {"linear, rows and flat",
     [] {
       return finish("l", {11}, [](GraphBuilder&, Value x) {
         return x.linear(12, {.weights = tiled(3)}).relu().linear(5, {.weights = tiled(4)});
       });
     }},
    {"batch_norm and affine: a norm that nothing takes in",
     [] {
       return finish("a", {3, 5, 5}, [](GraphBuilder&, Value x) {
         return x.max_pool({.kernel = 2}).batch_norm().relu().conv(4).batch_norm();
       });
     }},
    {"activation, every kind",
     [] {
       return finish("a", {6}, [](GraphBuilder&, Value x) {
         x = x.linear(6)
                 .activation(ActivationKind::kGelu)
                 .linear(6)
                 .activation(ActivationKind::kSilu);
         x = x.linear(6).activation(ActivationKind::kTanh).linear(6);
         return x.activation(ActivationKind::kSigmoid).linear(6).relu();
       });
     }},
    {"add, branches of tiled layers",
     [] {
       return finish("r", {4, 7, 5}, [](GraphBuilder&, Value x) {
         Value y = x.conv(8, {.kernel = 3, .stride = 2, .weights = tiled(4)}).batch_norm();
         Value z = x.conv(8, {.stride = 2, .weights = tiled(2)}).batch_norm();
         Value sum = (y + z).relu();
         return (sum.conv(8, {.weights = binary()}).batch_norm() + sum).relu();
       });
     }},
    {"max_pool2d",
     [] {
       return finish("m", {3, 9, 7}, [](GraphBuilder&, Value x) {
         return x.conv(4).max_pool({.kernel = 3, .stride = 2, .padding = 1});
       });
     }},
    {"avg_pool2d",
     [] {
       return finish("m", {3, 9, 7}, [](GraphBuilder&, Value x) {
         return x.conv(4).avg_pool({.kernel = {3, 2}, .stride = {2, 1}});
       });
     }},
    {"global_avg_pool",
     [] {
       return finish("g", {3, 5, 7},
                     [](GraphBuilder&, Value x) { return x.conv(5).global_avg_pool().linear(2); });
     }},
    {"flatten",
     [] {
       return finish("f", {3, 5, 2}, [](GraphBuilder&, Value x) {
         return x.conv(4).flatten().linear(3, {.weights = tiled(3)});
       });
     }},
    {"dropout",
     [] {
       return finish("d", {6}, [](GraphBuilder&, Value x) {
         return x.linear(8).relu().dropout(0.5).linear(3);
       });
     }},
};

// Values a trained network could have: norms of both signs, biases, statistics away from 0 and 1.
void randomize(GraphModule& module, std::uint64_t seed) {
  initialize(module, InitConfig{}, seed);
  torch::manual_seed(seed);
  const torch::NoGradGuard no_grad;
  for (const NamedTensor& named : module.tensors()) {
    Tensor tensor = named.tensor;
    if (named.role == TensorRole::kNormWeight) tensor.normal_(0, 1);
    if (named.role == TensorRole::kNormBias || named.role == TensorRole::kBias) tensor.normal_();
    if (named.role == TensorRole::kRunningMean) tensor.normal_(0, 0.3);
    if (named.role == TensorRole::kRunningVar) tensor.uniform_(0.3, 3);
    if (named.role == TensorRole::kAlpha) tensor.mul_(torch::randn_like(tensor));
  }
}

void check_parity(const Graph& graph, std::uint64_t seed, bool raw_pixels) {
  GraphModule module(graph);
  randomize(module, seed);
  module.eval();
  const torch::NoGradGuard no_grad;
  constexpr std::int64_t kBatch = 3;
  std::vector<std::int64_t> sizes = {kBatch};
  sizes.insert(sizes.end(), graph.input_shape().begin(), graph.input_shape().end());
  const Tensor x =
      raw_pixels ? torch::randint(0, 256, sizes).to(torch::kFloat32) : torch::randn(sizes);
  const Tensor wanted = module.forward(x).contiguous();

  Session session(Network::from(pack_model({graph, state_of(module)})), {.threads = 2});
  Tensor logits = torch::empty(wanted.sizes());
  const auto count = [](const Tensor& t) { return static_cast<std::size_t>(t.numel()); };
  session.run({x.const_data_ptr<float>(), count(x)}, kBatch,
              {logits.mutable_data_ptr<float>(), count(logits)});
  const double scale = wanted.abs().max().item<double>();
  REQUIRE(scale > 0);
  CHECK((logits - wanted).abs().max().item<double>() < 1e-4 * scale);
}

}  // namespace

TEST_CASE("executor and runtime agree on a network for every op") {
  std::uint64_t seed = 1;
  for (const ParityCase& c : kCases) {
    INFO(c.name);
    check_parity(c.make(), seed++, std::string(c.name) == "normalize");
  }
}

TEST_CASE("every op has a parity case, in its training or its packed form") {
  std::set<std::size_t> covered;
  for (const ParityCase& c : kCases) {
    Graph graph = c.make();
    GraphModule module(graph);
    randomize(module, 1);
    for (const Node& node : graph.nodes) covered.insert(node.op.index());
    for (const Node& node : pack_model({graph, state_of(module)}).graph.nodes) {
      covered.insert(node.op.index());
    }
  }
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (([&] {
       INFO("no case holds " << op_name(Op(std::in_place_index<I>)));
       CHECK(covered.count(I) == 1);
     }()),
     ...);
  }
  (std::make_index_sequence<std::variant_size_v<Op>>{});
}

TEST_CASE("executor and runtime agree on every network of the zoo at small width") {
  for (const ModelFamily& family : model_families()) {
    for (const std::int64_t p : {1, 4}) {
      INFO(family.name << " at p = " << p);
      ModelSpec spec{
          .type = family.name, .input = {3, 32, 32}, .mean = {120, 115, 105}, .std = {60, 61, 65}};
      for (const OptionSpec& option : family.options) {
        if (option.key == "width") spec.options["width"] = 0.125;
      }
      Graph graph = build_model(spec);
      WeightPolicy policy{.standard = tiled(p)};
      policy.rules.push_back({.match = {graph.nodes.back().name}, .encoding = FloatWeights{}});
      apply_policy(graph, policy);
      check_parity(graph, 11, true);
    }
  }
}
