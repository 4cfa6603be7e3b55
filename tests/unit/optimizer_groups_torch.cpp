// Parameter groups by role and by name.
#include "train/optim/optimizer_groups.h"

#include "support/catch.h"
#include "tbn/error.h"

using tbn::OptimConfig;
using tbn::ParameterInfo;
using tbn::TensorRole;

namespace {

const std::vector<ParameterInfo> kParameters = {
    {"conv1.latent", TensorRole::kLatent, 100, true}, {"conv1.alpha", TensorRole::kAlpha, 4},
    {"norm1.weight", TensorRole::kNormWeight, 8},     {"norm1.bias", TensorRole::kNormBias, 8},
    {"fc.weight", TensorRole::kWeight, 50},           {"fc.bias", TensorRole::kBias, 5}};

std::vector<std::size_t> members(const OptimConfig& config, std::size_t group) {
  return tbn::resolve_groups(config, kParameters).at(group).members;
}

}  // namespace

TEST_CASE("groups take parameters by role or glob, the first that matches wins") {
  OptimConfig config;
  config.groups.push_back({{"latents", "alphas"}, {.type = tbn::OptimizerType::kAdam}});
  config.groups.push_back({{"conv1.*", "norms"}, {.lr = 0.5}});
  CHECK(members(config, 0) == std::vector<std::size_t>{0, 1});
  CHECK(members(config, 1) == std::vector<std::size_t>{2, 3});
  CHECK(members(config, 2) == std::vector<std::size_t>{4, 5});
}

TEST_CASE("positions, class tokens and relative biases are the embeddings") {
  const std::vector<ParameterInfo> parameters = {{"positions1.table", TensorRole::kEmbedding, 64},
                                                 {"fc.weight", TensorRole::kWeight, 50}};
  OptimConfig config;
  config.groups.push_back({{"embeddings"}, {.lr = 0.5}});
  const auto groups = tbn::resolve_groups(config, parameters);
  CHECK(groups[0].members == std::vector<std::size_t>{0});
  CHECK(groups[1].members == std::vector<std::size_t>{1});
}

TEST_CASE("a role that a network does not have leaves its group empty") {
  OptimConfig config;
  config.groups.push_back({{"latents"}, {}});
  const auto groups = tbn::resolve_groups(config, {kParameters[4], kParameters[5]});
  CHECK(groups[0].members.empty());
  CHECK(groups[1].members.size() == 2);
}

TEST_CASE("a glob that matches no parameter is an error that lists roles and names") {
  OptimConfig config;
  config.groups.push_back({{"layer9.*"}, {}});
  try {
    tbn::resolve_groups(config, kParameters);
    FAIL("nothing was thrown");
  } catch (const tbn::ConfigError& error) {
    CHECK(
        std::string(error.what()) ==
        "optim.groups[0].match: 'layer9.*' matches no parameter; use a role (latents, alphas, "
        "weights, biases, norms, embeddings) or a glob over the names: conv1.latent, conv1.alpha, "
        "norm1.weight, norm1.bias, fc.weight, fc.bias");
  }
}

TEST_CASE("a glob that matches no parameter is told what it is near") {
  OptimConfig config;
  config.groups.push_back({{"con1.*"}, {}});
  CHECK_THROWS_WITH(tbn::resolve_groups(config, kParameters),
                    StartsWith("optim.groups[0].match: 'con1.*' matches no parameter "
                               "(did you mean 'conv1.latent'?); use a role ("));
}

TEST_CASE("a group's settings are told in one line") {
  CHECK(tbn::describe(
            tbn::OptimFields{.type = tbn::OptimizerType::kSgd, .lr = 0.1, .nesterov = true}) ==
        "sgd lr 0.1, momentum 0.9 (Nesterov), weight decay 0");
  CHECK(tbn::describe(tbn::OptimFields{
            .type = tbn::OptimizerType::kAdamW, .lr = 0.03, .weight_decay = 0.01}) ==
        "adamw lr 0.03, betas 0.9 0.999, weight decay 0.01");
  CHECK(
      tbn::describe(tbn::OptimFields{.type = tbn::OptimizerType::kAdadelta, .lr = 1, .rho = 0.8}) ==
      "adadelta lr 1, rho 0.8, weight decay 0");
}

TEST_CASE("Bop is for latents whose signs are bits, and says of what else it was given") {
  OptimConfig config;
  config.groups.push_back({{"latents"}, {.type = tbn::OptimizerType::kBop, .lr = 1e-4}});
  CHECK(members(config, 0) == std::vector<std::size_t>{0});
  config.groups[0].match.push_back("fc.*");
  CHECK_THROWS_WITH(tbn::resolve_groups(config, kParameters),
                    "optim: bop flips the signs of shared latents, and 'fc.weight' in the group "
                    "'latents, fc.*' is none; give bop to the group latents alone, with "
                    "weights.latent: shared and scalars of their own");
  OptimConfig all;
  all.fields.type = tbn::OptimizerType::kBop;
  CHECK_THROWS_AS(tbn::resolve_groups(all, kParameters), tbn::ConfigError);
  // Sums of p full latents, or latents whose magnitudes are the scalars, are more than signs.
  const auto bits = [](const tbn::TiledWeights& weights) {
    tbn::GraphBuilder b("net");
    const tbn::Graph graph = b.finish(b.input({8}).linear(8, {.weights = weights}));
    return tbn::trained_parameters(graph).front().bits;
  };
  using tbn::AlphaSource;
  using tbn::LatentForm;
  CHECK(bits({.p = 4}));
  CHECK(bits({.p = 1, .latent = LatentForm::kFull}));
  CHECK_FALSE(bits({.p = 4, .latent = LatentForm::kFull}));
  CHECK_FALSE(bits({.p = 1, .alpha_from = AlphaSource::kScores, .latent = LatentForm::kFull}));
  CHECK(tbn::describe(config.groups[0].fields) == "bop lr 0.0001, threshold 1e-08");
}
