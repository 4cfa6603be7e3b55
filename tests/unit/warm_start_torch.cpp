// A start from trained weights: what a layer of each form takes of them, beside the method's
// formulas in float64.
#include "train/state/warm_start.h"

#include <utility>

#include "support/warm_starts_torch.h"

using namespace tbn;
using namespace tbn::test;
using torch::Tensor;

TEST_CASE("a float network started from a float file gives its outputs, bit by bit") {
  const TempDir folder;
  GraphModule teacher = trained(resnet(FloatWeights{}), 1);
  GraphModule student(resnet(FloatWeights{}));
  initialize(student, InitConfig{}, 2);
  const WarmStart start = warm_start(student, save(folder, state_of(teacher)));
  CHECK(start.taken.size() == student.tensors().size());
  CHECK(start.left.empty());
  CHECK(start.unused.empty());
  teacher.eval();
  student.eval();
  const Tensor x = torch::randint(0, 256, {2, 3, 16, 16});
  CHECK(same(student.forward(x), teacher.forward(x)));
}

TEST_CASE("a tiled ResNet starts with the sign of the summed slices and the nearest scalars") {
  const auto latent = GENERATE(LatentForm::kFull, LatentForm::kShared);
  const auto scope = GENERATE(AlphaScope::kTile, AlphaScope::kLayer, AlphaScope::kOutput);
  const auto order = GENERATE(TileOrder::kRepeat, TileOrder::kInterleave);
  const std::int64_t p = GENERATE(1, 4);
  CAPTURE(to_string(latent), to_string(scope), to_string(order), p);
  const TempDir folder;
  const GraphModule teacher = trained(resnet(FloatWeights{}), 3);
  GraphModule student(
      resnet(TiledWeights{.p = p, .alpha = scope, .latent = latent, .order = order}));
  initialize(student, InitConfig{}, 4);
  GraphModule fresh(student.graph());
  initialize(fresh, InitConfig{}, 4);
  const double before = rms(tensor_of(student, "layer2.0.conv1.latent"));
  warm_start(student, save(folder, state_of(teacher)));
  for (const char* layer : {"conv1", "layer1.0.conv2", "layer2.0.conv1", "layer3.0.shortcut"}) {
    const std::string name = layer;
    const Tensor w = tensor_of(teacher, name + ".weight").to(torch::kDouble);
    const bool interleaved = order == TileOrder::kInterleave;
    const auto sliced = [&](const Tensor& t) {  // [p, R, m]
      return interleaved ? t.reshape({t.size(0) / p, p, -1}).transpose(0, 1)
                         : t.reshape({p, t.size(0) / p, -1});
    };
    const Tensor slices = sliced(w).reshape({p, -1});
    const Tensor s = slices.sum(0);
    const Tensor tile = 2 * (s > 0).to(torch::kDouble) - 1;
    Tensor own = tensor_of(student, name + ".latent").to(torch::kDouble);
    own = latent == LatentForm::kFull ? sliced(own).sum(0).reshape({-1}) : own.reshape({-1});
    CHECK(same(2 * (own > 0).to(torch::kDouble) - 1, tile));
    Tensor alpha = torch::matmul(slices, tile) / static_cast<double>(s.numel());
    if (scope == AlphaScope::kLayer) alpha = alpha.mean(0, true);
    if (scope == AlphaScope::kOutput) {
      const Tensor rows = (slices * tile).reshape({p, w.size(0) / p, -1}).mean(2);
      alpha = (interleaved ? rows.t() : rows).reshape({-1});
    }
    CHECK(difference(tensor_of(student, name + ".alpha"), alpha) < 1e-6);
    if (alpha.numel() == 1 && p == 1)
      CHECK(alpha.item<double>() == Approx(w.abs().mean().item<double>()));
  }
  CHECK(rms(tensor_of(student, "layer2.0.conv1.latent")) == Approx(before).epsilon(1e-4));
  // Norms come over with their statistics, but for those that have to part replicas.
  for (const char* part : {"weight", "bias", "running_mean", "running_var"}) {
    const std::string name = "layer3.1.norm2." + std::string(part);
    const Tensor& expected = p == 1 ? tensor_of(teacher, name) : tensor_of(fresh, name);
    CHECK(same(tensor_of(student, name), expected));
  }
  CHECK(same(tensor_of(student, "classifier.weight"), tensor_of(teacher, "classifier.weight")));
}

TEST_CASE("no scalar is nearer to its slice than the one that a warm start gives") {
  const TempDir folder;
  const auto form = GENERATE(std::pair<int, int>{8, 6}, std::pair<int, int>{10, 6});  // rows, flat
  const auto [n, m] = form;
  torch::manual_seed(5);
  const Tensor w = torch::randn({n, m});
  GraphModule student(one_layer(n, m, tiled(4)));
  initialize(student, InitConfig{}, 1);
  warm_start(student, save(folder, {{"fc.weight", to_host(w)}}));
  const Tensor slices = w.to(torch::kDouble).reshape({4, -1});
  const Tensor tile = tensor_of(student, "fc.latent").to(torch::kDouble).flatten().sign();
  const Tensor alpha = tensor_of(student, "fc.alpha").to(torch::kDouble).unsqueeze(1);
  const auto error = [&](const Tensor& a) { return (slices - a * tile).square().sum(1); };
  CHECK((error(alpha) < error(alpha + 1e-3)).all().item<bool>());
  CHECK((error(alpha) < error(alpha - 1e-3)).all().item<bool>());
}

TEST_CASE("a slice that opposes the tile gets a negative scalar") {
  const TempDir folder;
  torch::manual_seed(6);
  const Tensor slice = torch::randn({2, 16});
  const Tensor w = torch::cat({slice, -0.5 * slice});
  GraphModule student(one_layer(4, 16, tiled(2)));
  initialize(student, InitConfig{}, 1);
  warm_start(student, save(folder, {{"fc.weight", to_host(w)}}));
  const double size = slice.abs().mean().item<double>();
  CHECK(tensor_of(student, "fc.alpha")[0].item<double>() == Approx(size));
  CHECK(tensor_of(student, "fc.alpha")[1].item<double>() == Approx(-0.5 * size));
}

TEST_CASE("scalars from a second latent or from the latents keep the magnitudes of the weights") {
  const TempDir folder;
  const std::int64_t p = GENERATE(1, 2);
  torch::manual_seed(7);
  const Tensor w = 3 * torch::randn({8, 5});
  const std::string file = save(folder, {{"fc.weight", to_host(w)}});
  const auto started = [&](AlphaSource source) {
    GraphModule module(
        one_layer(8, 5, TiledWeights{.p = p, .alpha_from = source, .latent = LatentForm::kFull}));
    initialize(module, InitConfig{}, 1);
    const double before = rms(tensor_of(module, "fc.latent"));
    warm_start(module, file);
    return std::pair(module, before);
  };
  const auto [scores, unused] = started(AlphaSource::kScores);
  CHECK(same(tensor_of(scores, "fc.latent"), w));
  const auto [weight, before] = started(AlphaSource::kWeight);
  CHECK(same(tensor_of(weight, "fc.alpha_latent"), w));
  CHECK(rms(tensor_of(weight, "fc.latent")) == Approx(before).epsilon(1e-5));
  CHECK(same(tensor_of(weight, "fc.latent").sign(), w.sign()));
}

TEST_CASE("a checkpoint of another encoding gives the weights that it computes with") {
  const TempDir folder;
  const auto latent = GENERATE(LatentForm::kFull, LatentForm::kShared);
  const auto file = folder / "tiled.safetensors";
  const TiledWeights encoding{.p = 2, .latent = latent};
  const GraphModule source = trained(one_layer(8, 6, encoding), 1);
  save_checkpoint(file, source);
  GraphModule student(one_layer(8, 6, FloatWeights{}));
  warm_start(student, file);
  Tensor s = tensor_of(source, "fc.latent").reshape({-1, 24}).sum(0);
  const Tensor alpha = tensor_of(source, "fc.alpha").unsqueeze(1);
  const Tensor expected = (alpha * (2 * (s > 0).to(torch::kFloat) - 1)).reshape({8, 6});
  CHECK(same(tensor_of(student, "fc.weight"), expected));

  GraphModule finer(one_layer(8, 6, TiledWeights{.p = 4, .latent = latent}));
  const WarmStart start = warm_start(finer, file);
  CHECK((start.taken == std::vector<std::string>{"fc.latent", "fc.alpha", "fc.bias"}));
  CHECK(start.left.empty());
}

TEST_CASE("latents of the same shape that mean other weights are not copied") {
  const TempDir folder;
  const auto scores = [](std::int64_t p) {
    return TiledWeights{.p = p, .alpha_from = AlphaSource::kScores, .latent = LatentForm::kFull};
  };
  const GraphModule source = trained(one_layer(8, 6, scores(2)), 1);
  save_checkpoint(folder / "tiled.safetensors", source);
  GraphModule student(one_layer(8, 6, scores(4)));
  warm_start(student, folder / "tiled.safetensors");
  const Tensor slices = tensor_of(source, "fc.latent").to(torch::kDouble).reshape({2, 24});
  const Tensor tile = 2 * (slices.sum(0) > 0).to(torch::kDouble) - 1;
  const Tensor expected = (slices.abs().mean(1, true) * tile).reshape({8, 6});
  CHECK(difference(tensor_of(student, "fc.latent"), expected) < 1e-6);
}
