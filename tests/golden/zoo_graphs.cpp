// The text form of each family's graph, with the policy of its usual recipe.
#include "support/golden.h"
#include "tbn/models.h"
#include "tbn/policy.h"

using namespace tbn;

namespace {

std::string text_of(const std::string& type, const Shape& input) {
  Graph graph = build_model({.type = type, .input = input});
  apply_policy(graph, {.standard = tiled(4), .min_size = 16000});
  return to_text(graph);
}

}  // namespace

TEST_CASE("the graph of mlp has not changed") {
  test::check_golden("mlp.graph.txt", text_of("mlp", {1, 28, 28}));
}
TEST_CASE("the graph of vgg_small has not changed") {
  test::check_golden("vgg_small.graph.txt", text_of("vgg_small", {3, 32, 32}));
}
TEST_CASE("the graph of resnet_small has not changed") {
  test::check_golden("resnet_small.graph.txt", text_of("resnet_small", {1, 28, 28}));
}
TEST_CASE("the graph of resnet18 has not changed") {
  test::check_golden("resnet18.graph.txt", text_of("resnet18", {3, 32, 32}));
}
TEST_CASE("the graph of resnet34 has not changed") {
  test::check_golden("resnet34.graph.txt", text_of("resnet34", {3, 32, 32}));
}
TEST_CASE("the graph of resnet50 has not changed") {
  test::check_golden("resnet50.graph.txt", text_of("resnet50", {3, 32, 32}));
}
