// The starts of what sequences bring: layer norms, embeddings and transforms.
#include "train/state/init.h"

#include <cmath>

#include "support/catch.h"

using namespace tbn;
using torch::Tensor;

namespace {

double std_of(const Tensor& t) { return t.std().item<double>(); }

}  // namespace

TEST_CASE("embeddings start small and layer norms at the identity, whatever feeds them") {
  GraphBuilder b("vit");
  Value x = b.input({64, 48}).linear(96, {.weights = tiled(4)}).layer_norm().named("norm").relu();
  x = x.position_embedding().named("positions").linear(288).named("qkv");
  x = x.attention({.heads = 32, .grid = {8, 8}, .window = 4, .relative_bias = true}).named("attn");
  GraphModule module(b.finish(x.class_token().named("class")));
  initialize(module, InitConfig{.norms = NormStart::kApart}, 1);
  const auto p = module.named_parameters();
  CHECK(torch::equal(p["norm.weight"], torch::ones({96})));
  CHECK(torch::equal(p["norm.bias"], torch::zeros({96})));
  CHECK(std_of(p["positions.table"]) == Approx(0.02).epsilon(0.05));
  CHECK(std_of(p["attn.relative_bias"]) == Approx(0.02).epsilon(0.1));
  CHECK(std_of(p["class.token"]) == Approx(0.02).epsilon(0.35));
  CHECK(std_of(p["qkv.weight"]) > 0.03);
}

TEST_CASE("the norms of tokens start apart after a tiled linear, as those of maps do") {
  GraphBuilder b("points");
  Value x = b.input({5, 3}).linear(64, {.weights = tiled(4)}).batch_norm().named("norm").relu();
  GraphModule module(b.finish(x));
  initialize(module, InitConfig{.norms = NormStart::kApart}, 1);
  const auto p = module.named_parameters();
  CHECK(torch::equal(p["norm.weight"].abs(), torch::ones({64})));
  CHECK(p["norm.weight"].min().item<double>() == -1);
  CHECK(std_of(p["norm.bias"]) == Approx(0.5).epsilon(0.3));
}

TEST_CASE("a learned transform starts at the identity, a tiled one at its ordinary start") {
  const auto transform = [](const WeightEncoding& weights) {
    GraphBuilder b("transform");
    Value x = b.input({4, 6}).sequence_pool(PoolKind::kMax).linear(8).named("before").relu();
    x = x.linear(9, {.weights = weights}).named("last").reshape({3, 3}).add_identity();
    return b.finish(x);
  };
  GraphModule plain(transform(FloatWeights{}));
  initialize(plain, InitConfig{}, 1);
  const Tensor y = plain.forward(torch::randn({2, 4, 6}));
  CHECK(torch::equal(y, torch::eye(3).expand({2, 3, 3})));
  CHECK(std_of(plain.named_parameters()["before.weight"]) > 0.1);
  GraphModule packed(transform(tiled(3)));
  initialize(packed, InitConfig{}, 1);
  CHECK(std_of(packed.named_parameters()["last.latent"]) > 0.05);
  CHECK(torch::equal(packed.named_parameters()["last.bias"], torch::zeros({9})));
}

TEST_CASE("scalars start positive, or with every other one negative") {
  GraphBuilder b("mlp");
  Value x = b.input({12}).linear(8, {.weights = tiled(4)}).named("tiles").relu();
  GraphModule module(b.finish(x.linear(3, {.weights = binary()}).named("binary")));
  initialize(module, InitConfig{}, 1);
  const double start = 1 / std::sqrt(3.0 * 12);
  CHECK(torch::allclose(module.named_parameters()["tiles.alpha"], torch::full({4}, start)));
  initialize(module, InitConfig{.alphas = AlphaStart::kBothSigns}, 1);
  const Tensor signs = torch::tensor({1.0f, -1.0f, 1.0f, -1.0f});
  CHECK(torch::allclose(module.named_parameters()["tiles.alpha"], start * signs));
  CHECK(module.named_parameters()["binary.alpha"].item<double>() > 0);
}
