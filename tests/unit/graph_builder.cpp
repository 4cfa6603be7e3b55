// The fluent builder: names, scopes, shapes, and its errors.
#include "support/catch.h"
#include "support/errors.h"
#include "tbn/error.h"
#include "tbn/graph.h"

using namespace tbn;
using tbn::test::message_of;

TEST_CASE("nodes are numbered by kind within their scope") {
  GraphBuilder b("net");
  Value x = b.input({3, 8, 8}).conv(4, {.kernel = 3}).batch_norm().relu();
  {
    const auto scope = b.scope("stage.0");
    x = x.conv(4, {.kernel = 1}).conv(4).batch_norm();
  }
  x = x.conv(5).named("last");
  const Graph graph = b.finish(x);
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) names.push_back(node.name);
  CHECK(names == std::vector<std::string>{"input", "conv1", "norm1", "relu1", "stage.0.conv1",
                                          "stage.0.conv2", "stage.0.norm1", "last"});
}

TEST_CASE("finish drops nodes that the output does not need and renumbers the rest") {
  GraphBuilder b("net");
  const Value x = b.input({4});
  const Value unused = x.linear(100);
  const Value first = x.linear(3);
  const Value y = first + x.linear(3);
  CHECK(unused.shape() == Shape{100});
  const Graph graph = b.finish(y);
  REQUIRE(graph.nodes.size() == 4);
  CHECK(graph.nodes[1].name == "linear2");
  CHECK(graph.nodes[3].inputs == std::vector<NodeId>{1, 2});
  CHECK(use_counts(graph) == std::vector<int>{2, 1, 1, 1});
}

TEST_CASE("two nodes cannot have one name") {
  GraphBuilder b("net");
  const Value x = b.input({4}).linear(3).named("fc");
  CHECK(message_of<ConfigError>([&] { x.linear(2).named("fc"); }) ==
        "linear 'linear1': another node is named 'fc' already");
}

TEST_CASE("padding and strides that are not given follow from the kernel") {
  GraphBuilder b("net");
  const Value x = b.input({1, 10, 12});
  CHECK(x.conv(2, {.kernel = {3, 5}}).shape() == Shape{2, 10, 12});
  CHECK(x.conv(2, {.kernel = 4}).shape() == Shape{2, 9, 11});
  CHECK(x.conv(2, {.kernel = 3, .padding = 0}).shape() == Shape{2, 8, 10});
  CHECK(x.conv(2, {.kernel = 3, .stride = 2}).shape() == Shape{2, 5, 6});
  CHECK(x.max_pool().shape() == Shape{1, 5, 6});
  CHECK(x.max_pool({.kernel = 3, .stride = 2, .padding = 1}).shape() == Shape{1, 5, 6});
  CHECK(x.avg_pool({.kernel = 3}).shape() == Shape{1, 3, 4});
  CHECK(x.global_avg_pool().shape() == Shape{1});
  CHECK(x.flatten().shape() == Shape{120});
}

TEST_CASE("shapes that do not fit are errors that name the node and the values") {
  GraphBuilder b("net");
  const Value x = b.input({64, 4, 4});
  const auto message = [](auto f) { return message_of<ConfigError>(f); };
  CHECK(message([&] { x.conv(8, {.groups = 3}); }) ==
        "conv2d 'conv1': input has 64 channels, which 3 groups do not divide");
  CHECK(message([&] { x.conv(9, {.groups = 2}); }) ==
        "conv2d 'conv1': has 9 output channels, which 2 groups do not divide");
  CHECK(message([&] { x.conv(8, {.kernel = 7, .padding = 1}); }) ==
        "conv2d 'conv1': kernel 7 is larger than the input's height 4 with padding 1");
  CHECK(message([&] { x.conv(0); }) == "conv2d 'conv1': out_channels must be at least 1, is 0");
  CHECK(message([&] { x.flatten().conv(8); }) ==
        "conv2d 'conv1': input must be [C, H, W], is [1024]");
  CHECK(message([&] { x + x.conv(8); }) ==
        "add 'add1': inputs have shapes [64, 4, 4] and [8, 4, 4], which must be equal");
  CHECK(message([&] { x.normalize({1}, {1}); }) ==
        "normalize 'normalize1': has 1 mean and 1 standard deviation for 64 channels");
  CHECK(message([&] { x.flatten().linear(std::int64_t{1} << 31); }) ==
        "linear 'linear1': out_features must be at most 2147483647, is 2147483648");
  CHECK(message([&] { x.dropout(1.0); }) ==
        "dropout 'dropout1': rate must be at least 0 and below 1");
}

TEST_CASE("validate refuses graphs that no builder makes") {
  GraphBuilder b("net");
  const Graph good = b.finish(b.input({4}).linear(3).activation(ActivationKind::kTanh));
  validate(good);
  const auto broken = [&](auto change) {
    Graph graph = good;
    change(graph);
    return message_of<ConfigError>([&] { validate(graph); });
  };
  CHECK(broken([](Graph& g) { g.nodes[1].inputs = {2}; }) ==
        "linear 'linear1': input 2 is not an earlier node");
  CHECK(broken([](Graph& g) { g.nodes[1].inputs = {-1}; }) ==
        "linear 'linear1': input -1 is not an earlier node");
  CHECK(broken([](Graph& g) { g.nodes[2].name = "linear1"; }) ==
        "activation 'linear1': another node has this name");
  CHECK(broken([](Graph& g) { g.nodes[2].shape = {9}; }) ==
        "activation 'tanh1': its shape is [3], not [9]");
  CHECK(broken([](Graph& g) { g.output = 3; }) == "the graph's output 3 is no node");
  CHECK(broken([](Graph& g) { g.nodes[2].op = Input{{3}}; }) ==
        "input 'tanh1': the first node, and no other, must be the input");
  CHECK(broken([](Graph& g) { g.nodes[1].name = "a b"; }) ==
        "a node's name must be 1 to 200 letters, digits, '_', '-' and single dots");
  for (const std::string reserved : {"verify", "verify.input", "verify.x.conv"}) {
    CHECK(broken([&](Graph& g) { g.nodes[1].name = reserved; }) ==
          "a node cannot be named '" + reserved +
              "': packed files keep their test vectors under 'verify'; choose another name");
  }
  Graph near = good;
  near.nodes[1].name = "verify2";
  validate(near);
  CHECK(broken([](Graph& g) { g.nodes.clear(); }) == "the graph has no nodes");
}
