// Shared weights of a search: views of latents against sums in double, gradients, and what is apart
// for each choice.
#include <torch/torch.h>

#include <filesystem>
#include <fstream>

#include "encodings/encoding.h"
#include "support/catch.h"
#include "support/temp_dir.h"
#include "tbn/error.h"
#include "train/executor/tensor_io.h"
#include "train/search/shared_weights.h"
#include "train/search/supernet.h"
#include "train/search/trials.h"
#include "train/state/init.h"

using namespace tbn;
using torch::Tensor;

namespace {

const WeightEncoding kInterleaved = TiledWeights{.p = 2, .order = TileOrder::kInterleave};

Graph network() {
  GraphBuilder b("net");
  Value x = b.input({3, 6, 6});
  x = x.conv(16, {.kernel = 3, .weights = uniform(8)}).named("stem").batch_norm().named("norm1");
  x = x.relu().conv(32, {.kernel = 3, .weights = tiled(4)}).named("conv");
  x = x.max_pool({.kernel = 2}).batch_norm().named("norm2").relu();
  x = x.global_avg_pool().linear(16, {.bias = true, .weights = kInterleaved}).named("hidden");
  return b.finish(x.relu().linear(5).named("head"));
}

struct Shared {
  SearchSpace space;
  Config config;
  GraphModule dearest{space.graph};
  SharedWeights weights = made();

  explicit Shared(const Graph& graph = network()) : space(search_space(graph, {})) {}

  SharedWeights made() {
    initialize(dearest, config.init, 3);
    return {space, dearest, config};
  }
  const Tensor& of(const std::string& key) const {
    for (const SharedWeights::Parameter& parameter : weights.parameters()) {
      if (parameter.key == key) return parameter.value;
    }
    FAIL("no parameter " << key);
    return weights.parameters().front().value;
  }
  bool has(const std::string& key) const {
    for (const SharedWeights::Parameter& parameter : weights.parameters()) {
      if (parameter.key == key) return true;
    }
    return false;
  }
};

Tensor tensor_of(const GraphModule& module, const std::string& name) {
  for (const NamedTensor& named : module.tensors()) {
    if (named.name == name) return named.tensor;
  }
  FAIL("no tensor " << name);
  return {};
}

// The signs of sums of `slices` rows of `rows` [R, ...], computed value by value in double.
Tensor signs_by_hand(const Tensor& rows, std::int64_t slices, bool side_by_side) {
  const Tensor flat = rows.detach().flatten(1).to(torch::kDouble).contiguous();
  const std::int64_t count = flat.size(0) / slices;
  Tensor signs = torch::empty({count, flat.size(1)}, torch::kDouble);
  for (std::int64_t r = 0; r < count; ++r) {
    for (std::int64_t k = 0; k < flat.size(1); ++k) {
      double sum = 0;
      for (std::int64_t i = 0; i < slices; ++i) {
        const std::int64_t row = side_by_side ? r * slices + i : r + i * count;
        sum += flat.const_data_ptr<double>()[row * flat.size(1) + k];
      }
      signs[r][k] = sum > 0 ? 1.0 : -1.0;
    }
  }
  return signs;
}

Tensor signs_of(const Tensor& latent) {
  return torch::where(latent.detach().flatten(1) > 0, 1.0, -1.0).to(torch::kDouble);
}

}  // namespace

TEST_CASE("the tile of every choice is the sign of sums of the shared latents, in double") {
  Shared shared;
  for (const auto& [text, slices] : {std::pair<std::string, std::int64_t>{"8/1/1", 1},
                                     {"6/2/2", 2},
                                     {"4/4/4", 4},
                                     {"4/8/4", 8}}) {
    CAPTURE(text);
    const Pick pick = pick_of(shared.space, text, "here");
    GraphModule candidate(with_choices(shared.space, pick));
    shared.weights.fill(candidate, pick);
    CHECK(torch::equal(signs_of(tensor_of(candidate, "conv.latent")),
                       signs_by_hand(shared.of("conv.latent"), slices, false)));
    const std::int64_t neighbours = std::min<std::int64_t>(slices, 4);
    CHECK(torch::equal(signs_of(tensor_of(candidate, "hidden.latent")),
                       signs_by_hand(shared.of("hidden.latent"), neighbours, true)));
    CHECK(torch::equal(tensor_of(candidate, "stem.weight"), shared.of("stem.weight")));
    CHECK(torch::equal(tensor_of(candidate, "hidden.bias"), shared.of("hidden.bias")));
  }
}

TEST_CASE("views nest: rows at 2 p are sums of halves of the rows at p") {
  const Tensor rows = torch::randn({16, 3, 2}, torch::kDouble);
  for (const bool side_by_side : {false, true}) {
    const Tensor at_two = sum_of_slices(rows, 2, side_by_side);
    const Tensor at_four = sum_of_slices(rows, 4, side_by_side);
    CHECK(torch::allclose(sum_of_slices(at_two, 2, side_by_side), at_four, 0, 1e-12));
  }
}

TEST_CASE("a gradient of sums is that of autograd, a share for each slice") {
  for (const bool side_by_side : {false, true}) {
    const Tensor rows = torch::randn({12, 5}, torch::kDouble).requires_grad_();
    const Tensor outer = torch::randn({4, 5}, torch::kDouble);
    (sum_of_slices(rows, 3, side_by_side) * outer).sum().backward();
    CHECK(torch::allclose(shared_gradient(outer, 3, side_by_side) * 3, rows.grad(), 0, 1e-12));
  }
}

TEST_CASE("gradients of all networks of a step add up in the shared parameters") {
  Shared shared;
  const Tensor x = torch::randint(0, 256, {4, 3, 6, 6}).to(torch::kFloat);
  Tensor expected = torch::zeros_like(shared.of("conv.latent"));
  for (const std::string text : {"8/1/1", "4/8/2"}) {
    const Pick pick = pick_of(shared.space, text, "here");
    GraphModule candidate(with_choices(shared.space, pick));
    shared.weights.fill(candidate, pick);
    candidate.train();
    candidate.forward(x).square().sum().backward();
    const std::int64_t slices = text == "8/1/1" ? 1 : 8;
    expected += shared_gradient(tensor_of(candidate, "conv.latent").grad(), slices, false);
    shared.weights.collect(candidate, pick);
    CHECK(!tensor_of(candidate, "conv.latent").grad().defined());
  }
  CHECK(torch::allclose(shared.of("conv.latent").grad(), expected, 1e-5, 1e-6));
  CHECK(shared.of("head.weight").grad().defined());
  CHECK(shared.of("conv.alpha@8").grad().defined());
  CHECK(!shared.of("conv.alpha@2").grad().defined());
}

TEST_CASE("scalars and the norm after a layer are apart for each choice, behind a pool too") {
  const Shared shared;
  for (const std::string key : {"conv.alpha@1", "conv.alpha@8", "norm2.weight@1", "norm2.weight@4",
                                "norm2.bias@8", "norm1.weight@6", "stem.alpha@4", "stem.alpha@8"}) {
    CAPTURE(key);
    CHECK(shared.has(key));
  }
  CHECK(!shared.has("norm2.weight"));
  CHECK(!shared.has("head.weight@1"));
  // Copies start apart, and rows without copies do not.
  CHECK(shared.of("norm2.weight@1").eq(1).all().item<bool>());
  CHECK(!shared.of("norm2.weight@4").eq(1).all().item<bool>());
  CHECK(shared.of("conv.alpha@8").numel() == 8);
}

TEST_CASE("optimiser groups know a shared parameter by its role and its name in a network") {
  Shared shared;
  OptimConfig optim;
  optim.groups.push_back({.match = {"latents"}, .fields = {.type = OptimizerType::kAdam}});
  optim.groups.push_back({.match = {"norm2.weight"}, .fields = {.lr = 0.5}});
  const std::vector<ParameterGroup> groups = shared.weights.groups(optim);
  REQUIRE(groups.size() == 3);
  CHECK(groups[0].names == std::vector<std::string>{"conv.latent", "hidden.latent"});
  CHECK(groups[1].names.size() == 4);  // of p = 1, 2, 4, 8
  CHECK(groups[1].names.front() == "norm2.weight@1");
}

TEST_CASE("layers whose scalars weigh more than their bits are shared from the least p on") {
  GraphBuilder b("mixing");
  Value x = b.input({7}).linear(64, {.weights = tiled(4)}).named("fc1").relu();
  const Graph graph = b.finish(x.linear(64, {.weights = tiled(4)}).named("fc2"));
  const Shared shared(graph);
  const SearchSpace& space = shared.space;
  for (int level = 0; level < space.levels(); ++level) {
    const Pick pick = space.level(level);
    CAPTURE(pick_text(space, pick));
    GraphModule candidate(with_choices(space, pick));
    shared.weights.fill(candidate, pick);
    const std::int64_t p = main_setting(space.layers[0].choices[static_cast<std::size_t>(pick[0])]);
    CHECK(torch::equal(signs_of(tensor_of(candidate, "fc1.latent")),
                       signs_by_hand(tensor_of(shared.dearest, "fc1.latent"), p, false)));
  }
}

TEST_CASE("full latents are shared as they are") {
  GraphBuilder b("full");
  const WeightEncoding full = TiledWeights{.p = 2, .latent = LatentForm::kFull};
  const Graph graph = b.finish(b.input({6}).linear(16, {.weights = full}).named("fc"));
  const Shared shared(graph);
  const SearchSpace& space = shared.space;
  for (int level = 0; level < space.levels(); ++level) {
    GraphModule candidate(with_choices(space, space.level(level)));
    shared.weights.fill(candidate, space.level(level));
    CHECK(torch::equal(tensor_of(candidate, "fc.latent"), tensor_of(shared.dearest, "fc.latent")));
  }
}

TEST_CASE("imitation is the cross entropy of the taught probabilities, in double") {
  const Tensor outputs = torch::randn({3, 4});
  const Tensor taught = torch::randn({3, 4});
  double sum = 0;
  for (int i = 0; i < 3; ++i) {
    double of_taught = 0, of_outputs = 0;
    for (int k = 0; k < 4; ++k) {
      of_taught += std::exp(taught[i][k].item<double>());
      of_outputs += std::exp(outputs[i][k].item<double>());
    }
    for (int k = 0; k < 4; ++k) {
      const double wanted = std::exp(taught[i][k].item<double>()) / of_taught;
      sum -= wanted * std::log(std::exp(outputs[i][k].item<double>()) / of_outputs);
    }
  }
  CHECK(imitation_loss(outputs, taught, Task::kClassification).item<double>() ==
        Approx(sum / 3).epsilon(1e-5));
  CHECK(imitation_loss(outputs, taught, Task::kForecasting).item<double>() ==
        Approx((outputs - taught).square().mean().item<double>()).epsilon(1e-5));
}

TEST_CASE("what search.csv holds is found again, and a half-written row is not") {
  const test::TempDir folder;
  const SearchSpace space = search_space(network(), {});
  const Pick pick = pick_of(space, "6/2/2", "here");
  {
    Trials trials(folder / "search.csv", space);
    CHECK(!trials.find(pick, Images::kRank));
    trials.add("alone", pick, Images::kRank, {}, {91.25, 0.1 + 0.2}, 1.5);
    trials.add("judge", pick, Images::kJudge, {}, {NAN, INFINITY}, 1.5);
  }
  std::ofstream(folder / "search.csv", std::ios::app) << "3,evolution,rank,8/1";
  const Trials trials(folder / "search.csv", space);
  CHECK(trials.count() == 2);
  REQUIRE(trials.find(pick, Images::kRank));
  CHECK(trials.find(pick, Images::kRank)->score == 91.25);
  CHECK(trials.find(pick, Images::kRank)->loss == 0.1 + 0.2);
  CHECK(std::isnan(trials.find(pick, Images::kJudge)->score));
  CHECK(!trials.find(space.dearest(), Images::kRank));
}

TEST_CASE("a damaged search.csv is refused by its line") {
  const test::TempDir folder;
  const SearchSpace space = search_space(network(), {});
  for (const std::string row :
       {"1,alone,rank,9/9/9,1,1,1,1,1,1", "1,alone,rank", "1,a,rank,8/1/1,1,1,1,x,1,1",
        "1,a,rank,8/1/1,1,1,1,1,1,1,1", "x,a,rank,8/1/1,1,1,1,1,1,1"}) {
    CAPTURE(row);
    std::ofstream(folder / "search.csv")
        << "trial,stage,images,choices,bytes,bits,macs,score,loss,seconds\n"
        << row << "\n";
    CHECK_THROWS_AS(Trials(folder / "search.csv", space), DataError);
  }
}
