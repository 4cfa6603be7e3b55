// What is said of a network by its settings, against the network that they make.
#include "config/model_use.h"

#include <algorithm>

#include "config/load.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/zoo_cases.h"
#include "tbn/error.h"
#include "tbn/models.h"

using namespace tbn;
using test::message_of;
using test::says;

namespace {

template <class Wanted>
bool any_node(const Graph& graph, const Wanted& wanted) {
  return std::ranges::any_of(graph.nodes, [&](const Node& node) { return wanted(node.op); });
}

// As a loaded configuration holds it: with all of the family's options.
ModelConfig config_of(const ModelSpec& spec) {
  ModelConfig config{.type = spec.type, .options = {}};
  for (const OptionSpec& option : model_family(spec.type).options) {
    config.options[option.key] = option.value;
  }
  for (const auto& [key, value] : spec.options) config.options[key] = value;
  return config;
}

void check_against_graph(const ModelSpec& spec) {
  INFO(spec.type);
  const Graph graph = build_model(spec);
  CHECK(has_convolutions(config_of(spec)) ==
        any_node(graph, [](const Op& op) { return std::holds_alternative<Conv2d>(op); }));
  CHECK(has_orthogonal_transforms(config_of(spec)) == any_node(graph, [](const Op& op) {
          const auto* transform = std::get_if<AddIdentity>(&op);
          return transform != nullptr && transform->orthogonal;
        }));
}

}  // namespace

TEST_CASE("settings know of convolutions and transforms what the networks have, family by family") {
  for (ModelSpec spec : test::zoo_cases()) {
    check_against_graph(spec);
    if (!spec.type.starts_with("pointnet")) continue;
    spec.options["feature_transform"] = false;
    check_against_graph(spec);
  }
}

TEST_CASE("settings know of convolutions and transforms inside of composed networks") {
  const LayerList plain = {{.op = Flatten{}}, {.op = Linear{.out_features = 4}}};
  const LayerSpec conv{.op = Conv2d{.out_channels = 4, .kernel = 3}};
  const LayerSpec transform{.op = AddIdentity{.orthogonal = true}};
  const auto model = [](LayerList layers) {
    return ModelConfig{.type = "custom", .options = {{"layers", std::move(layers)}}};
  };
  CHECK_FALSE(has_convolutions(model(plain)));
  CHECK_FALSE(has_orthogonal_transforms(model(plain)));
  const LayerSpec nested{.kind = LayerKind::kRepeat,
                         .times = 2,
                         .branches = {{{.kind = LayerKind::kResidual, .branches = {{conv}, {}}}}}};
  CHECK(has_convolutions(model({nested, plain[1]})));
  CHECK_FALSE(has_orthogonal_transforms(model({nested})));
  CHECK(has_orthogonal_transforms(model({{.kind = LayerKind::kBlock, .branches = {{transform}}}})));
  CHECK_FALSE(has_orthogonal_transforms(model({{.op = AddIdentity{}}})));
}

TEST_CASE("a memory order without convolutions and a penalty without transforms are idle") {
  const auto refusal = [](const std::string& yaml, const std::string& setting) {
    return message_of<ConfigError>([&] { parse_config(yaml, "t.yaml", {setting}); });
  };
  CHECK(says(refusal("{name: a, model: {type: mlp}}", "train.channels_last=false"),
             {"train.channels_last: does nothing without a network with convolutions; leave it "
              "out"}));
  CHECK(says(refusal("{name: a, model: {type: pointnet, feature_transform: false}, data: {name: "
                     "modelnet40}}",
                     "train.orthogonal_penalty=0.1"),
             {"train.orthogonal_penalty: does nothing without a learned transform of features; "
              "leave it out"}));
  CHECK_NOTHROW(
      parse_config("{name: a, model: {type: resnet18}}", "t.yaml", {"train.channels_last=false"}));
  CHECK_NOTHROW(parse_config("{name: a, model: {type: pointnet}, data: {name: modelnet40}}",
                             "t.yaml", {"train.orthogonal_penalty=0.1"}));
}
