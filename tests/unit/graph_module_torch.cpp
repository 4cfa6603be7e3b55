// The executor, its plan, the starts of training and the module's state.
#include <torch/torch.h>

#include <functional>
#include <set>
#include <vector>

#include "config/config.h"
#include "support/catch.h"
#include "tbn/error.h"
#include "train/executor/graph_module.h"
#include "train/executor/tensor_io.h"
#include "train/state/init.h"

using namespace tbn;
using torch::Tensor;

namespace {

Value block(GraphBuilder& b, Value x, std::int64_t channels, std::int64_t stride,
            const WeightEncoding& weights, const std::string& name) {
  const auto scope = b.scope(name);
  Value shortcut = x;
  if (stride != 1 || x.channels() != channels) {
    shortcut = x.conv(channels, {.stride = stride, .weights = weights})
                   .named("shortcut")
                   .batch_norm()
                   .named("shortcut_norm");
  }
  Value y = x.conv(channels, {.kernel = 3, .stride = stride, .weights = weights})
                .named("conv1")
                .batch_norm()
                .named("norm1")
                .relu()
                .conv(channels, {.kernel = 3, .weights = weights})
                .named("conv2")
                .batch_norm()
                .named("norm2");
  return (y + shortcut).relu();
}

Graph residual_net(const WeightEncoding& weights) {
  GraphBuilder b("residual");
  Value x = b.input({2, 9, 7}).normalize({100, 120}, {50, 60});
  x = x.conv(8, {.kernel = 3}).named("stem").batch_norm().named("stem_norm").relu();
  x = block(b, x, 8, 1, weights, "layer1");
  x = block(b, x, 12, 2, weights, "layer2");
  return b.finish(x.global_avg_pool().linear(3, {.weights = weights}).named("classifier"));
}

Tensor pixels(std::int64_t batch, torch::ScalarType dtype = torch::kUInt8) {
  return torch::randint(0, 256, {batch, 2, 9, 7}).to(dtype);
}

void start(GraphModule& module, std::uint64_t seed = 7) { initialize(module, InitConfig{}, seed); }

double difference(const Tensor& a, const Tensor& b) {
  return (a.detach() - b.detach()).abs().max().item<double>();
}

}  // namespace

TEST_CASE("parameters carry the names of their nodes, in the order of the graph") {
  GraphModule module(residual_net(tiled(4)));
  const auto parameters = module.named_parameters();
  std::set<std::string> named;
  for (const NamedTensor& tensor : module.tensors()) {
    named.insert(tensor.name);
    if (is_buffer(tensor.role)) {
      CHECK(module.named_buffers()[tensor.name].is_same(tensor.tensor));
    } else {
      CHECK(parameters[tensor.name].is_same(tensor.tensor));
    }
  }
  CHECK(named.size() == parameters.size() + module.named_buffers().size());
  CHECK(module.tensors()[0].name == "stem.weight");
  CHECK(named.count("layer2.conv1.latent") == 1);
  CHECK(named.count("layer2.shortcut.alpha") == 1);
  CHECK(parameters["layer1.conv1.latent"].sizes() == at::IntArrayRef({2, 8, 3, 3}));
}

TEST_CASE("the fused plan trains as node by node does, in float64, in both memory formats") {
  for (const WeightEncoding& weights :
       {tiled(4), binary(), WeightEncoding{TiledWeights{.p = 4, .latent = LatentForm::kFull}},
        WeightEncoding{FloatWeights{}}}) {
    INFO(to_string(weights));
    torch::manual_seed(1);
    GraphModule fused(residual_net(weights), torch::kFloat64);
    GraphModule plain(residual_net(weights), torch::kFloat64, /*fuse=*/false);
    start(fused);
    load_state(plain, state_of(fused), "test");
    plain.set_channels_last(false);
    for (int step = 0; step < 3; ++step) {
      const Tensor x = pixels(4), target = torch::randn({4, 3}, torch::kFloat64);
      for (GraphModule* module : {&fused, &plain}) {
        (module->forward(x) - target).square().sum().backward();
      }
      const torch::NoGradGuard no_grad;
      for (std::size_t i = 0; i < fused.tensors().size(); ++i) {
        const NamedTensor &a = fused.tensors()[i], &b = plain.tensors()[i];
        INFO(a.name);
        if (is_buffer(a.role)) {
          CHECK(difference(a.tensor, b.tensor) < 1e-9);
          continue;
        }
        REQUIRE(a.tensor.grad().defined());
        CHECK(difference(a.tensor.grad(), b.tensor.grad()) < 1e-8);
        for (const Tensor& parameter : {a.tensor, b.tensor}) {
          parameter.sub_(parameter.grad(), 1e-3);
          parameter.mutable_grad() = Tensor();
        }
      }
    }
    fused.eval();
    plain.eval();
    const torch::NoGradGuard no_grad;
    const Tensor x = pixels(3);
    CHECK(difference(fused.forward(x), plain.forward(x)) < 1e-9);
  }
}

TEST_CASE("the executor computes what the network written by hand does") {
  torch::manual_seed(2);
  GraphBuilder b("hand");
  Value x = b.input({3, 8, 8})
                .conv(6, {.kernel = 3, .stride = 2, .groups = 3, .bias = true})
                .named("conv")
                .batch_norm()
                .named("norm")
                .gelu()
                .max_pool({.kernel = 2});
  GraphModule module(b.finish(x.flatten().dropout(0.5).linear(5).named("head")), torch::kFloat64);
  start(module);
  module.eval();
  auto p = module.named_parameters();
  auto s = module.named_buffers();
  const Tensor in = torch::randn({2, 3, 8, 8}, torch::kFloat64);
  Tensor y = torch::conv2d(in, p["conv.weight"], p["conv.bias"], 2, 1, 1, 3);
  y = torch::batch_norm(y, p["norm.weight"], p["norm.bias"], s["norm.running_mean"],
                        s["norm.running_var"], false, 0.1, 1e-5, false);
  y = torch::max_pool2d(torch::gelu(y), 2).flatten(1);
  y = torch::linear(y, p["head.weight"], p["head.bias"]);
  CHECK(difference(module.forward(in), y) < 1e-12);
  module.train();
  CHECK(difference(module.forward(in), module.forward(in)) > 1e-3);  // dropout
}

TEST_CASE(
    "a factor slows the running statistics of every norm down, fused or not, but not to a stop") {
  for (const bool fuse : {true, false}) {
    for (const auto& [factor, momentum] : {std::pair{1.0, 0.1}, {0.5, 0.05}, {1e-3, 0.01}}) {
      GraphModule module(residual_net(tiled(4)), torch::kFloat64, fuse);
      initialize(module, InitConfig{}, 1);
      module.set_norm_momentum_factor(factor);
      torch::manual_seed(1);
      const Tensor x = pixels(4);
      module.forward(x);
      for (const char* norm : {"stem_norm", "layer2.norm1"}) {
        GraphModule whole(residual_net(tiled(4)), torch::kFloat64, fuse);
        initialize(whole, InitConfig{}, 1);
        whole.forward(x);
        const std::string name = std::string(norm) + ".running_mean";
        const auto mean_of = [&](const GraphModule& m) {
          for (const NamedTensor& named : m.tensors()) {
            if (named.name == name) return named.tensor;
          }
          return Tensor();
        };
        const Tensor expected = mean_of(whole) * (momentum / 0.1);
        CHECK((mean_of(module) - expected).abs().max().item<double>() < 1e-12);
        CHECK(expected.abs().max().item<double>() > 1e-4);
      }
    }
  }
}

TEST_CASE("averaged statistics are the means over all batches, fused or not, in double") {
  constexpr std::int64_t kBatches = 300;
  const auto statistics = [](const GraphModule& module) {
    std::vector<Tensor> all;
    for (const NamedTensor& named : module.tensors()) {
      if (is_buffer(named.role)) all.push_back(named.tensor.to(torch::kFloat64).flatten());
    }
    return torch::cat(all);
  };
  for (const bool fuse : {true, false}) {
    CAPTURE(fuse);
    GraphModule module(residual_net(tiled(4)), torch::kFloat32, fuse);
    initialize(module, InitConfig{}, 1);
    GraphModule single(residual_net(tiled(4)), torch::kFloat32, fuse);  // of one batch each
    initialize(single, InitConfig{}, 1);
    const torch::NoGradGuard no_grad;
    torch::manual_seed(1);
    Tensor sum;
    for (std::int64_t k = 1; k <= kBatches; ++k) {
      // Brighter and brighter: late batches must not weigh more than early ones.
      const Tensor x =
          pixels(2).to(torch::kFloat32) * (static_cast<double>(k) / static_cast<double>(kBatches));
      module.average_norms(k);
      module.forward(x);
      single.average_norms(1);
      single.forward(x);
      sum = sum.defined() ? sum + statistics(single) : statistics(single);
    }
    const Tensor mean = sum / static_cast<double>(kBatches);
    CHECK((statistics(module) - mean).abs().max().item<double>() <
          1e-4 * mean.abs().max().item<double>());
    CHECK((statistics(single) - mean).abs().max().item<double>() >
          1e-2 * mean.abs().max().item<double>());
  }
}

TEST_CASE("uint8 and float pixels give the same logits") {
  GraphModule module(residual_net(tiled(4)));
  start(module);
  module.eval();
  const Tensor x = pixels(2);
  CHECK(torch::equal(module.forward(x), module.forward(x.to(torch::kFloat32))));
}

TEST_CASE("a fused step takes the norm, the sum and the activation that only it feeds") {
  const Graph graph = residual_net(tiled(4));
  const auto steps = plan_steps(graph);
  const auto find = [&](const std::string& name) {
    for (const PlanStep& step : steps) {
      if (graph.node(step.node).name == name) return step;
    }
    FAIL("no step " << name);
    return PlanStep{};
  };
  const PlanStep tail = find("layer2.conv2");
  CHECK(graph.node(tail.norm).name == "layer2.norm2");
  CHECK(graph.node(tail.residual).name == "layer2.shortcut_norm");
  CHECK(tail.relu);
  CHECK(find("layer2.shortcut").output == find("layer2.shortcut").norm);
  CHECK(find("stem").norm == -1);  // float weights
  CHECK(plan_steps(graph, false).size() == graph.nodes.size());
  std::size_t released = 0;
  for (const PlanStep& step : steps) released += step.last_uses.size();
  CHECK(released == steps.size() - 1);  // all but the logits
}

TEST_CASE("a fused step takes a pool with its norm, where nobody else reads either") {
  const auto step_of = [](const std::function<Value(Value)>& after) {
    GraphBuilder b("net");
    Value x = b.input({3, 8, 8}).conv(8, {.kernel = 3, .weights = tiled(4)}).named("conv");
    const Graph graph = b.finish(after(x));
    for (const PlanStep& step : plan_steps(graph)) {
      if (graph.node(step.node).name == "conv") return step;
    }
    FAIL("no step");
    return PlanStep{};
  };
  for (const auto& pool : std::vector<std::function<Value(Value)>>{
           [](Value x) { return x.max_pool(); }, [](Value x) { return x.avg_pool(); }}) {
    const PlanStep step = step_of([&](Value x) { return pool(x).batch_norm().relu(); });
    CHECK(step.pool == step.node + 1);
    CHECK(step.norm == step.node + 2);
    CHECK(step.output == step.node + 3);
    CHECK(step.relu);
    // Without a norm behind it the pool is a step of its own, and so is one that others read.
    CHECK(step_of([&](Value x) { return pool(x).relu(); }).output == step.node);
    CHECK(step_of([&](Value x) {
            const Value y = pool(x);
            return y.batch_norm() + y;
          }).pool == -1);
    CHECK(step_of([&](Value x) { return pool(pool(x)).batch_norm(); }).norm == -1);
    CHECK(step_of([&](Value x) { return pool(x.relu()).batch_norm(); }).norm == -1);
  }
}

TEST_CASE("a network with pools before its norms trains fused as it does node by node") {
  const auto both_signs = GENERATE(false, true);
  std::vector<std::vector<Tensor>> results;
  for (const bool fuse : {true, false}) {
    GraphBuilder b("pools");
    Value x = b.input({3, 9, 7});
    for (int i = 0; i < 2; ++i) {
      x = x.conv(8, {.kernel = 3, .weights = tiled(4)});
      x = (i == 0 ? x.max_pool() : x.avg_pool()).batch_norm().relu();
    }
    GraphModule module(b.finish(x.flatten().linear(4)), torch::kFloat64, fuse);
    initialize(module, {.alphas = both_signs ? AlphaStart::kBothSigns : AlphaStart::kPositive}, 1);
    torch::manual_seed(2);
    module.forward(torch::randn({5, 3, 9, 7}, torch::kFloat64)).square().sum().backward();
    std::vector<Tensor> result;
    for (const NamedTensor& named : module.tensors()) {
      result.push_back(is_buffer(named.role) ? named.tensor : named.tensor.grad());
    }
    results.push_back(result);
  }
  for (std::size_t i = 0; i < results[0].size(); ++i) {
    INFO("tensor " << i);
    CHECK((results[0][i] - results[1][i]).abs().max().item<double>() < 1e-10);
  }
}

TEST_CASE("the executor refuses packed networks, wrong shapes and batches without a variance") {
  GraphBuilder b("packed");
  Value x = b.input({4});
  x = b.add(Affine{}, {x}).named("fold");
  const Graph packed = b.finish(x);
  CHECK_THROWS_WITH(GraphModule(packed),
                    "affine 'fold': the op belongs to packed networks; the trainer runs a network "
                    "as its builder made it");
  GraphModule module(residual_net(tiled(4)));
  CHECK_THROWS_WITH(module.forward(torch::zeros({2, 3, 9, 7})),
                    "network 'residual': a batch has shape [2, 3, 9, 7], the network takes [batch] "
                    "+ [2, 9, 7]");
  GraphBuilder v("vector");
  GraphModule vector(v.finish(v.input({4}).linear(4).batch_norm().named("norm")));
  CHECK_THROWS_WITH(vector.forward(torch::zeros({1, 4})),
                    "batch_norm 'norm': a batch of 1 gives each channel 1 value, and the variance "
                    "needs at least 2; use a larger batch");
}

TEST_CASE("a seed fixes the start, and no two layers are alike") {
  GraphModule a(residual_net(tiled(4))), b(residual_net(tiled(4))), c(residual_net(tiled(4)));
  start(a, 1);
  start(b, 1);
  start(c, 2);
  CHECK((state_of(a) == state_of(b)));
  CHECK_FALSE((state_of(a) == state_of(c)));
  const TensorMap state = state_of(a);
  CHECK_FALSE((state.at("layer1.conv1.latent") == state.at("layer1.conv2.latent")));
}

TEST_CASE("a tiled linear layer starts with weights as large as a float one's") {
  GraphBuilder b("linear");
  Value x = b.input({300}).linear(200).named("float");
  GraphModule module(b.finish(x.linear(400, {.weights = tiled(4)}).named("tiled").relu()));
  start(module);
  const auto p = module.named_parameters();
  const double wanted = p["float.weight"].std().item<double>() * std::sqrt(300.0 / 200.0);
  CHECK(p["tiled.alpha"].min().item<double>() == Approx(wanted).epsilon(0.02));
  CHECK(p["tiled.alpha"].max().item<double>() == Approx(wanted).epsilon(0.02));
}

TEST_CASE("tiled layers start at unit scale and only their norms start apart") {
  GraphBuilder b("wide");
  Value x = b.input({64, 6, 6});
  x = x.conv(256, {.kernel = 3, .weights = tiled(4)}).named("tiled").batch_norm().named("apart");
  x = x.relu().conv(256, {.weights = binary()}).named("binary").batch_norm().named("plain");
  x = x.conv(256, {.weights = tiled(2)}).named("last").batch_norm().named("no_activation");
  GraphModule module(b.finish(x));
  start(module);
  const auto p = module.named_parameters();
  CHECK(p["tiled.latent"].std().item<double>() == Approx(0.1).epsilon(0.03));
  CHECK(p["tiled.alpha"][0].item<double>() == Approx(std::sqrt(2.0 / (64 * 9))));
  CHECK(p["last.alpha"][0].item<double>() == Approx(std::sqrt(1.0 / 256)));
  CHECK(torch::equal(p["apart.weight"].abs(), torch::ones({256})));
  CHECK(p["apart.weight"].sum().abs().item<double>() < 80);
  CHECK(p["apart.bias"].std().item<double>() == Approx(0.5).epsilon(0.15));
  CHECK(torch::equal(p["plain.weight"], torch::ones({256})));
  CHECK(p["no_activation.weight"].min().item<double>() == -1);
  CHECK(torch::equal(p["no_activation.bias"], torch::zeros({256})));
  initialize(module, {.latents = LatentStart::kKaimingUniform, .norms = NormStart::kIdentity}, 1);
  CHECK(torch::equal(p["apart.weight"], torch::ones({256})));
  CHECK(p["tiled.latent"].abs().max().item<double>() <= 1.0 / 24);
}

TEST_CASE("state goes out and in again bit for bit, and a wrong one is refused whole") {
  GraphModule a(residual_net(tiled(4))), b(residual_net(tiled(4)));
  start(a, 1);
  start(b, 2);
  const TensorMap state = state_of(a), before = state_of(b);
  TensorMap missing = state, foreign = state, shape = state, type = state;
  missing.erase("stem.weight");
  foreign.emplace("extra.weight", HostTensor(DType::kF32, {1}));
  shape["stem.weight"] = HostTensor(DType::kF32, {8, 2, 3, 2});
  type["stem.weight"] = HostTensor(DType::kF64, {8, 2, 3, 3});
  CHECK_THROWS_WITH(load_state(b, missing, "last.ckpt"),
                    "last.ckpt: tensor 'stem.weight' is missing");
  CHECK_THROWS_WITH(load_state(b, foreign, "last.ckpt"),
                    "last.ckpt: tensor 'extra.weight' is not one of network 'residual'");
  CHECK_THROWS_WITH(load_state(b, shape, "last.ckpt"),
                    "last.ckpt: tensor 'stem.weight' has shape [8, 2, 3, 2], the network needs "
                    "[8, 2, 3, 3]");
  CHECK_THROWS_WITH(load_state(b, type, "last.ckpt"),
                    "last.ckpt: tensor 'stem.weight' has type F64, the network needs F32");
  CHECK_THROWS_AS(load_state(b, missing, "last.ckpt"), DataError);
  CHECK((state_of(b) == before));
  load_state(b, state, "last.ckpt");
  CHECK((state_of(b) == state));
}

TEST_CASE("host tensors keep every element type, and strided tensors become row-major") {
  for (const auto type : {torch::kBool, torch::kUInt8, torch::kInt8, torch::kInt32, torch::kInt64,
                          torch::kFloat16, torch::kBFloat16, torch::kFloat32, torch::kFloat64}) {
    const Tensor values = torch::randint(0, 2, {3, 4}).to(type);
    const HostTensor host = to_host(values.t());
    CHECK(host.shape() == Shape{4, 3});
    CHECK(to_torch(host).scalar_type() == type);
    CHECK(torch::equal(to_torch(host), values.t()));
  }
  CHECK(to_host(torch::zeros({0, 3})).count() == 0);
  CHECK_THROWS_AS(to_host(torch::zeros({1}, torch::kComplexFloat)), InternalError);
}
