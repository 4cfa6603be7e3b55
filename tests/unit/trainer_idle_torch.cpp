// Rules and groups that earlier ones leave nothing to.
#include "train/run/trainer_idle.h"

#include "config/load.h"
#include "support/catch.h"
#include "tbn/models.h"
#include "tbn/policy.h"

using namespace tbn;

namespace {

std::vector<std::string> idle(const std::string& yaml) {
  const Config config = parse_config("{name: a, model: {type: resnet_small}, " + yaml + "}", "t");
  Graph graph = build_model({.type = "resnet_small", .input = {3, 16, 16}});
  apply_policy(graph, weight_policy(config.weights));
  return idle_rules(config, graph);
}

}  // namespace

TEST_CASE("a rule of weights that earlier rules leave nothing to is named") {
  CHECK(idle("weights: {rules: [{match: conv1, p: 1}, {match: classifier, p: 2}]}").empty());
  CHECK(idle("weights: {rules: [{match: conv1, p: 2}, {match: '*', p: 1}]}").empty());
  CHECK(idle("weights: {rules: [{match: '*', p: 1}, {match: conv1, p: 2}, {match: [classifier, "
             "'block1.*'], p: 2}]}") ==
        std::vector<std::string>{
            "weights.rules[1] does nothing: earlier rules match every layer that it matches",
            "weights.rules[2] does nothing: earlier rules match every layer that it matches"});
}

TEST_CASE("a group of parameters that earlier groups leave nothing to is named") {
  const std::string latents = "{match: latents, type: adam, lr: 0.01}";
  CHECK(idle("optim: {groups: [" + latents + ", {match: '*', lr: 1}]}").empty());
  CHECK(idle("optim: {groups: [" + latents + ", {match: '*.latent', lr: 1}]}") ==
        std::vector<std::string>{
            "optim.groups[1] does nothing: earlier groups match every parameter that it matches"});
  // A role that the network does not have.
  CHECK(idle("optim: {groups: [{match: embeddings, lr: 1}]}").empty());
}
