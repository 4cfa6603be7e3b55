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
        "weights.rules[0]: pattern 'blok1.*' matches no layer of resnet_small; its layers are "
        "conv1, block1.conv1, block1.conv2, block2.conv1, block2.conv2, block2.shortcut, "
        "block3.conv1, block3.conv2, block3.shortcut, classifier");
}

TEST_CASE("p that does not divide a layer is an error that names the layer") {
  Graph graph = small_net();
  CHECK_THAT(message_of<ConfigError>([&] { apply_policy(graph, {.standard = tiled(7)}); }),
             StartsWith("conv2d 'conv1': p = 7 divides neither its 64 outputs nor its 576 "
                        "weights; the nearest factors that work are 6 and 8"));
}
