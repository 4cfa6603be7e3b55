// Whole networks over tokens: how they train, under autocast too, and what the executor keeps.
#include "config/config.h"
#include "support/catch.h"
#include "support/zoo_cases.h"
#include "tbn/policy.h"
#include "train/executor/device.h"
#include "train/executor/graph_module.h"
#include "train/state/init.h"
#include "train/step/loss.h"
#include "train/tiled/tiled_function.h"

using namespace tbn;
using torch::Tensor;

namespace {

Tensor random(at::IntArrayRef sizes) { return torch::randn(sizes, torch::kFloat64); }

double difference(const Tensor& a, const Tensor& b) {
  return (a.detach() - b.detach()).abs().max().item<double>();
}

Graph finish(const Shape& input, Value (*body)(Value)) {
  GraphBuilder b("tokens");
  return b.finish(body(b.input(input)));
}

}  // namespace

TEST_CASE("windowed attention under autocast stays close to float32, with a finite gradient") {
  torch::manual_seed(5);
  GraphModule module(finish({24, 8}, [](Value x) {
    return x.linear(24).attention(
        {.heads = 2, .grid = {6, 4}, .window = 2, .shift = 1, .relative_bias = true});
  }));
  {
    const torch::NoGradGuard no_grad;
    for (const NamedTensor& named : module.tensors()) Tensor(named.tensor).normal_(0, 0.3);
  }
  const Tensor x = torch::randn({3, 24, 8});
  const Tensor wanted = module.forward(x);
  Tensor y;
  {
    const Autocast autocast(true, torch::kCPU);
    y = module.forward(x);
  }
  CHECK(y.scalar_type() == torch::kBFloat16);
  CHECK(difference(y.to(torch::kFloat32), wanted) < 0.03);
  y.to(torch::kFloat32).square().sum().backward();
  for (const NamedTensor& named : module.tensors()) {
    INFO(named.name);
    CHECK(at::isfinite(named.tensor.grad()).all().item<bool>());
    CHECK(named.tensor.grad().abs().max().item<double>() > 0);
  }
}

TEST_CASE("transforms to be kept orthogonal are at hand after a forward pass in training alone") {
  GraphModule module(finish({3, 3}, [](Value x) {
    Value y = x.linear(3).add_identity({.orthogonal = true});
    return y.matmul(x.linear(3).add_identity());
  }));
  const Tensor x = torch::randn({2, 3, 3});
  module.forward(x);
  REQUIRE(module.regularized().size() == 1);
  CHECK(module.regularized()[0].sizes() == at::IntArrayRef({2, 3, 3}));
  CHECK(module.regularized()[0].requires_grad());
  module.forward(x);
  CHECK(module.regularized().size() == 1);
  module.eval();
  module.forward(x);
  CHECK(module.regularized().empty());
}

TEST_CASE("tokens of a channels-last image and their image are views of it") {
  const Tensor image = random({2, 6, 3, 5}).contiguous(at::MemoryFormat::ChannelsLast);
  GraphModule module(finish({6, 3, 5},
                            [](Value x) {
                              return x.to_tokens().to_image({3, 5});
                            }),
                     torch::kFloat64);
  const Tensor back = module.forward(image);
  CHECK(back.data_ptr() == image.data_ptr());
  CHECK(back.is_contiguous(at::MemoryFormat::ChannelsLast));
}

TEST_CASE("tiled layers on tokens, transposed or not, train as their expanded weights would") {
  torch::manual_seed(7);
  const auto network = [](const WeightEncoding& weights) {
    GraphBuilder b("tokens");
    Value x = b.input({5, 6}).transpose().linear(8, {.weights = weights}).named("a").gelu();
    x = x.transpose().linear(4, {.weights = weights}).named("b").transpose();
    return b.finish(x.slice(0, 1, 2).linear(4, {.weights = weights}).named("c").layer_norm());
  };
  for (const LatentForm latent : {LatentForm::kShared, LatentForm::kFull}) {
    const TiledWeights encoding{.p = 4, .latent = latent};
    GraphModule tiled(network(encoding), torch::kFloat64);
    GraphModule dense(network(FloatWeights{}), torch::kFloat64);
    {
      const torch::NoGradGuard no_grad;
      for (const NamedTensor& named : tiled.tensors()) Tensor(named.tensor).normal_();
      for (NodeId id = 0; id < static_cast<NodeId>(tiled.graph().nodes.size()); ++id) {
        const Tensor latents = tiled.tensor_of(id, TensorRole::kLatent);
        const Tensor bias = tiled.tensor_of(id, TensorRole::kBias);
        Tensor weight = dense.tensor_of(id, TensorRole::kWeight);
        if (!weight.defined()) continue;
        const TileLayout layout = tile_layout(weight.size(0), weight.size(1), 4, "layer");
        const TiledWeight w{encoding, layout, weight.sizes().vec(), latents,
                            tiled.tensor_of(id, TensorRole::kAlpha)};
        weight.copy_(expanded_weight(w));
        dense.tensor_of(id, TensorRole::kBias).copy_(bias);
      }
      for (const TensorRole role : {TensorRole::kNormWeight, TensorRole::kNormBias}) {
        dense.tensor_of(dense.graph().output, role)
            .copy_(tiled.tensor_of(tiled.graph().output, role));
      }
    }
    Tensor x = random({3, 5, 6}).requires_grad_();
    const Tensor y = tiled.forward(x), wanted = dense.forward(x);
    CHECK(difference(y, wanted) < 1e-12);
    const Tensor direction = random(y.sizes());
    const auto p = tiled.named_parameters(), q = dense.named_parameters();
    const auto gradients = torch::autograd::grad({y}, {x, p["a.bias"], p["a.latent"]}, {direction});
    const auto expected =
        torch::autograd::grad({wanted}, {x, q["a.bias"], q["a.weight"]}, {direction});
    CHECK(difference(gradients[0], expected[0]) < 1e-12);
    CHECK(difference(gradients[1], expected[1]) < 1e-12);
    // Each slice's gradient times its scalar; shared latents take the sum.
    const Tensor slices = expected[2].view({4, 2, 5}) * p["a.alpha"].view({4, 1, 1});
    const Tensor latent_gradient =
        latent == LatentForm::kShared ? slices.sum(0) : slices.reshape({8, 5});
    CHECK(difference(gradients[2], latent_gradient) < 1e-12);
  }
}

TEST_CASE("every network of the zoo takes a step under autocast, with a gradient for each weight") {
  torch::manual_seed(8);
  for (const ModelSpec& spec : test::zoo_cases()) {
    INFO(spec.type << " on " << to_string(spec.input));
    Graph graph = build_model(spec);
    apply_policy(graph, {.standard = tiled(4)});
    GraphModule module(graph);
    initialize(module, InitConfig{}, 1);
    std::vector<std::int64_t> sizes = {4};
    sizes.insert(sizes.end(), spec.input.begin(), spec.input.end());
    Tensor y;
    {
      const Autocast autocast(true, torch::kCPU);
      y = module.forward(torch::rand(sizes) * (spec.mean.empty() ? 1 : 255));
    }
    Tensor loss = y.to(torch::kFloat32).square().mean();
    for (const Tensor& transform : module.regularized())
      loss = loss + orthogonal_penalty(transform);
    loss.backward();
    for (const NamedTensor& named : module.tensors()) {
      if (is_buffer(named.role)) continue;
      INFO(named.name);
      REQUIRE(named.tensor.grad().defined());
      CHECK(at::isfinite(named.tensor.grad()).all().item<bool>());
    }
  }
}
