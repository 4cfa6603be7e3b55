// The zoo against published weight counts, and what layers cost.
#include "tbn/models.h"
#include "support/catch.h"
#include "support/errors.h"
#include "tbn/error.h"
#include "tbn/model.h"
#include "tbn/policy.h"

using namespace tbn;
using tbn::test::message_of;

namespace {

std::int64_t weights_of_model(const std::string& type, const Shape& input, std::int64_t classes,
                              OptionMap options = {}) {
  const ModelSpec spec{
      .type = type, .options = std::move(options), .input = input, .classes = classes};
  return summarize(build_model(spec)).totals.weights;
}

}  // namespace

TEST_CASE("the zoo has the weight counts of the paper's networks") {
  CHECK(weights_of_model("resnet18", {3, 32, 32}, 10) == 11'164'352);
  CHECK(weights_of_model("resnet50", {3, 32, 32}, 10) == 23'467'712);
  CHECK(weights_of_model("vgg_small", {3, 32, 32}, 10) == 4'656'512);
  CHECK(weights_of_model("resnet34", {3, 224, 224}, 1000, {{"stem", std::string("imagenet")}}) ==
        21'779'648);
  CHECK(weights_of_model("mlp", {1, 28, 28}, 10) == 101'632);
}

TEST_CASE("a width factor scales every layer but input and classes") {
  // conv1 3*9*16, and so on: channels 16, 32, 64, 128.
  CHECK(weights_of_model("resnet18", {3, 32, 32}, 10, {{"width", 0.25}}) ==
        (11'164'352 - 1728 - 5120) / 16 + 27 * 16 + 128 * 10);
}

TEST_CASE("networks take one channel as well as three") {
  CHECK(weights_of_model("resnet18", {1, 28, 28}, 10) == 11'164'352 - 2 * 9 * 64);
}

TEST_CASE("the paper's MLP with p = 4 on its first layer takes 3,316 bytes") {
  Graph graph = build_model({.type = "mlp", .input = {1, 28, 28}});
  apply_policy(graph, {.standard = tiled(4), .min_size = 64000});
  const Summary summary = summarize(graph);
  REQUIRE(summary.layers.size() == 2);
  CHECK(summary.layers[0].bits == 25088 + 4 * 32);
  CHECK(summary.layers[0].macs * 4 == summary.layers[0].dense_macs);
  CHECK(summary.totals.scalars == 5);
  CHECK(summary.totals.bytes == 3316);
}

TEST_CASE("ResNet-18 with the paper's list of p = 4 layers takes 0.2586 bits a weight") {
  Graph graph = build_model({.type = "resnet18", .input = {3, 32, 32}});
  apply_policy(graph, {.standard = tiled(4),
                       .rules = {{.match = {"conv1", "layer1.0.*", "layer1.1.conv1",
                                            "layer2.0.shortcut", "classifier"},
                                  .encoding = binary()}}});
  const LayerSummary totals = summarize(graph).totals;
  CHECK(totals.bits == 2'885'312 + 66 * 32);
  CHECK(totals.bits_per_weight == Approx(0.2586).epsilon(0.001));
}

TEST_CASE("a flat tile saves bits but no multiply-adds") {
  GraphBuilder b("flat");
  Graph graph = b.finish(b.input({9}).linear(6, {.weights = tiled(27)}));
  const LayerSummary layer = summarize(graph).layers[0];
  CHECK(layer.form == "flat");
  CHECK(layer.tile_length == 2);
  CHECK(layer.macs == 54);
}

TEST_CASE("unknown models and options are errors that say what there is") {
  CHECK(message_of<ConfigError>([] {
          weights_of_model("resnet19", {3, 32, 32}, 10);
        }) ==
        "model.type: 'resnet19' is no model; there are mlp, vgg_small, resnet_small, resnet18, "
        "resnet34, resnet50");
  CHECK(message_of<ConfigError>([] {
          weights_of_model("mlp", {784}, 10, {{"depth", std::int64_t{3}}});
        }) == "model.depth: mlp has no such option");
  CHECK(message_of<ConfigError>([] {
          weights_of_model("resnet18", {3, 32, 32}, 10, {{"width", 40.0}});
        }) == "model.width: must be between 0.05 and 16, is 40");
  CHECK(message_of<ConfigError>([] {
          weights_of_model("resnet18", {3, 32, 32}, 10, {{"stem", std::string("cifr")}});
        }) == "model.stem: must be one of cifar, imagenet, is 'cifr'");
}
