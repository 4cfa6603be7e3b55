// Which layers the weight policy tiles.
#include "tbn/policy.h"
#include "support/catch.h"
#include "support/errors.h"
#include "tbn/error.h"
#include "tbn/models.h"

using namespace tbn;
using tbn::test::message_of;

namespace {

Graph small_net() { return build_model({.type = "resnet_small", .input = {1, 28, 28}}); }

std::int64_t p_of(const Graph& graph, const std::string& name) {
  for (const Node& node : graph.nodes) {
    if (node.name != name) continue;
    const auto* tiled = std::get_if<TiledWeights>(weights_of(node.op));
    return tiled == nullptr ? 0 : tiled->p;
  }
  FAIL("no node " << name);
  return -1;
}

}  // namespace

TEST_CASE("glob_match knows stars, question marks and dots") {
  CHECK(glob_match("*", "layer1.0.conv1"));
  CHECK(glob_match("layer1.*.conv1", "layer1.0.conv1"));
  CHECK(glob_match("layer?.0.*", "layer1.0.conv1"));
  CHECK(glob_match("*conv*1", "layer1.conv.conv1"));
  CHECK(glob_match("", ""));
  CHECK_FALSE(glob_match("layer1", "layer10"));
  CHECK_FALSE(glob_match("conv", "conv1"));
  CHECK_FALSE(glob_match("?", ""));
  CHECK_FALSE(glob_match("*x", "layer1"));
}

TEST_CASE("layers below the minimum size stay binary, the others take the standard encoding") {
  Graph graph = small_net();
  apply_policy(graph, {.standard = tiled(4), .min_size = 30000, .small = binary()});
  CHECK(p_of(graph, "conv1") == 1);            // 576 weights
  CHECK(p_of(graph, "block2.shortcut") == 1);  // 4,096
  CHECK(p_of(graph, "block2.conv1") == 4);     // 36,864
  CHECK(p_of(graph, "classifier") == 1);
}

TEST_CASE("the first rule that matches wins over the size and over later rules") {
  Graph graph = small_net();
  apply_policy(graph, {.standard = tiled(4),
                       .min_size = 1'000'000'000,
                       .small = FloatWeights{},
                       .rules = {{.match = {"block1.*"}, .encoding = tiled(8)},
                                 {.match = {"*.conv1", "conv1"}, .encoding = tiled(2)}}});
  CHECK(p_of(graph, "block1.conv1") == 8);
  CHECK(p_of(graph, "block2.conv1") == 2);
  CHECK(p_of(graph, "conv1") == 2);
  CHECK(p_of(graph, "block2.conv2") == 0);
}

TEST_CASE("a pattern that matches no layer is an error that lists the layers") {
  Graph graph = small_net();
  const std::string message = message_of<ConfigError>([&] {
    apply_policy(graph, {.rules = {{.match = {"conv1", "blok1.*"}, .encoding = tiled(8)}}});
  });
  CHECK(message ==
        "weights.rules[0].match: 'blok1.*' matches no layer of resnet_small (did you mean "
        "'block1.conv1'?); its layers are "
        "conv1, block1.conv1, block1.conv2, block2.conv1, block2.conv2, block2.shortcut, "
        "block3.conv1, block3.conv2, block3.shortcut, classifier");
}

TEST_CASE("p that does not divide a layer is an error that names the layer") {
  Graph graph = small_net();
  CHECK_THAT(message_of<ConfigError>([&] { apply_policy(graph, {.standard = tiled(7)}); }),
             StartsWith("conv2d 'conv1': p = 7 divides neither its 64 outputs nor its 576 "
                        "weights; the nearest factors that work are 6 and 8"));
}

TEST_CASE("steps ahead share rows whole seasons apart, or with their neighbours") {
  const auto order = [](std::int64_t horizon, std::int64_t season, std::int64_t p) {
    return order_by_steps({.horizon = horizon, .season = season}, horizon, p);
  };
  CHECK(order(96, 24, 4) == TileOrder::kRepeat);       // hours: 24 apart
  CHECK(order(720, 24, 4) == TileOrder::kInterleave);  // 180, seven days and a half
  CHECK(order(720, 24, 6) == TileOrder::kRepeat);      // 120, five days
  CHECK(order(96, 96, 4) == TileOrder::kInterleave);   // quarters of an hour: 24 are six hours
  CHECK(order(768, 96, 4) == TileOrder::kRepeat);      // 192, two days
  CHECK(order(96, 144, 4) == TileOrder::kInterleave);  // ten minutes
  CHECK(order(96, 0, 4) == TileOrder::kInterleave);    // no season is known
  CHECK(order(1, 24, 4) == TileOrder::kRepeat);        // p does not divide it
  CHECK(order(96, 96, 1) == TileOrder::kRepeat);
  CHECK(order_by_steps({.horizon = 96, .season = 96}, 64, 4) == TileOrder::kRepeat);
  CHECK(order_by_steps({}, 96, 4) == TileOrder::kRepeat);
}

TEST_CASE("only tiles whose order is left open are ordered by the steps ahead") {
  const auto forecaster = [] {
    return build_model({.type = "dlinear",
                        .input = {192, 3},
                        .task = {.task = Task::kForecasting, .output = {96, 3}}});
  };
  const auto order_of = [](const Graph& graph, const std::string& name) {
    for (const Node& node : graph.nodes) {
      if (node.name == name) return std::get<TiledWeights>(*weights_of(node.op)).order;
    }
    throw std::runtime_error("no node " + name);
  };
  WeightPolicy policy{.standard = tiled(4), .order_by_steps = true};
  policy.steps = {.horizon = 96, .season = 96};
  policy.rules = {{.match = {"trend_linear"}, .encoding = tiled(4)}};
  Graph graph = forecaster();
  apply_policy(graph, policy);
  CHECK(order_of(graph, "seasonal_linear") == TileOrder::kInterleave);
  CHECK(order_of(graph, "trend_linear") == TileOrder::kRepeat);  // the rule says so

  policy.rules.front().order_by_steps = true;
  policy.order_by_steps = false;
  graph = forecaster();
  apply_policy(graph, policy);
  CHECK(order_of(graph, "seasonal_linear") == TileOrder::kRepeat);
  CHECK(order_of(graph, "trend_linear") == TileOrder::kInterleave);
}
