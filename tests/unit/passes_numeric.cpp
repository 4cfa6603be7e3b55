// The export passes keep what a network computes, checked by an evaluator that knows no pass.
#include <cmath>
#include <limits>

#include "graph/passes/passes.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/naive_eval.h"
#include "support/random_model.h"
#include "tbn/error.h"

using namespace tbn;

namespace {

std::vector<float> pixels(const Graph& graph, std::uint64_t seed) {
  return test::random_values(element_count(graph.input_shape()), seed, 0, 255);
}

const Node& node_named(const Graph& graph, std::string_view name) {
  for (const Node& node : graph.nodes) {
    if (node.name == name) return node;
  }
  throw std::runtime_error("no node " + std::string(name));
}

bool has_node(const Graph& graph, std::string_view name) {
  for (const Node& node : graph.nodes) {
    if (node.name == name) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("every export pass leaves the outputs of the odd network as they were") {
  for (std::uint64_t seed : {1, 200, 4000}) {
    Model model = test::random_trained(test::odd_network(), seed);
    const std::vector<float> input = pixels(model.graph, seed);
    const std::vector<double> before = test::naive_eval(model, input);
    for (const ExportPass& pass : export_passes()) {
      INFO("pass " << pass.name << ", seed " << seed);
      pass.run(model);
      validate(model.graph);
      CHECK(test::relative_error(test::naive_eval(model, input), before) < 2e-6);
    }
    check_tensors(model.graph, model.tensors, packed_tensors, "packed");
  }
}

TEST_CASE("outputs of different inputs differ, so that the comparison above can fail") {
  const Model model = test::random_trained(test::odd_network(), 1);
  const auto a = test::naive_eval(model, pixels(model.graph, 1));
  const auto b = test::naive_eval(model, pixels(model.graph, 2));
  CHECK(test::relative_error(a, b) > 1e-3);
}

TEST_CASE("a norm folds into a tiled layer as scale = alpha g and bias = beta - g mean") {
  GraphBuilder b("net");
  const Value x = b.input({1, 2, 2}).conv(4, {.kernel = 1, .weights = tiled(2)}).named("c");
  Model model{.graph = b.finish(x.batch_norm({.eps = 0.25}).named("n")), .tensors = {}};
  const auto put = [&](const char* name, Shape shape, std::vector<float> values) {
    model.tensors[name] = HostTensor::of<float>(shape, values);
  };
  put("c.latent", {2, 1, 1, 1}, {0.5f, -0.5f});
  put("c.alpha", {2}, {0.5f, 2});
  put("n.weight", {4}, {1, -2, 3, -4});
  put("n.bias", {4}, {10, 20, 30, 40});
  put("n.running_mean", {4}, {1, 1, 2, 2});
  put("n.running_var", {4}, {3.75f, 0.75f, 3.75f, 0.75f});  // roots 2, 1, 2, 1
  const Model packed = pack_model(model);

  REQUIRE(packed.graph.nodes.size() == 2);
  CHECK(packed.tensors.size() == 3);
  const auto tile = packed.tensors.at("c.tile").values<std::uint8_t>();
  CHECK(std::vector<int>(tile.begin(), tile.end()) == std::vector<int>{1, 0});
  const auto scale = packed.tensors.at("c.scale").values<float>();
  CHECK(std::vector<float>(scale.begin(), scale.end()) == std::vector<float>{0.25f, -1, 3, -8});
  const auto bias = packed.tensors.at("c.bias").values<float>();
  CHECK(std::vector<float>(bias.begin(), bias.end()) == std::vector<float>{9.5f, 22, 27, 48});
}

TEST_CASE("packed graphs forget how their tiles were trained") {
  const Model packed = pack_model(test::random_trained(test::odd_network(), 3));
  for (const Node& node : packed.graph.nodes) {
    const WeightEncoding* encoding = weights_of(node.op);
    if (!encoding || !std::holds_alternative<TiledWeights>(*encoding)) continue;
    CHECK(std::get<TiledWeights>(*encoding).alpha_from == TiledWeights{}.alpha_from);
    CHECK(std::get<TiledWeights>(*encoding).latent == TiledWeights{}.latent);
  }
}

TEST_CASE("a norm whose input something else reads becomes an affine op") {
  const Model packed = pack_model(test::random_trained(test::odd_network(), 3));
  CHECK_FALSE(std::get<Conv2d>(node_named(packed.graph, "twice").op).scale);
  int affines = 0;
  for (const Node& node : packed.graph.nodes) {
    affines += std::holds_alternative<Affine>(node.op) ? 1 : 0;
  }
  CHECK(affines == 2);  // after the pool, and after "twice"
}

TEST_CASE("an activation that is not the only reader is not fused") {
  GraphBuilder b("net");
  const Value x = b.input({4}).linear(4).named("l");
  Model model = test::random_trained(b.finish(x.relu() + x), 1);
  const std::vector<float> input = {1, -2, 3, -4};
  const auto before = test::naive_eval(model, input);
  const Model packed = pack_model(model);
  CHECK(packed.graph == model.graph);
  CHECK(test::relative_error(test::naive_eval(packed, input), before) < 1e-6);
}

TEST_CASE("passes keep the output where the last node goes away") {
  GraphBuilder b("net");
  Model model = test::random_trained(b.finish(b.input({3}).linear(2).named("l").dropout(0.5)), 1);
  const Model packed = pack_model(model);
  CHECK(packed.graph.nodes.size() == 2);
  CHECK(packed.graph.node(packed.graph.output).name == "l");
  CHECK_FALSE(has_node(packed.graph, "dropout1"));
}

TEST_CASE("two norms in a row: the first folds, the second becomes an affine op") {
  GraphBuilder b("net");
  Model model = test::random_trained(
      b.finish(b.input({3}).linear(4).named("l").batch_norm().batch_norm()), 9);
  const std::vector<float> input = {0.5f, -1, 2};
  const auto before = test::naive_eval(model, input);
  const Model packed = pack_model(model);
  CHECK(packed.graph.nodes.size() == 3);
  CHECK(test::relative_error(test::naive_eval(packed, input), before) < 1e-6);
}

TEST_CASE("a norm folds into a tiled linear over a sequence by its features, not by its tokens") {
  GraphBuilder b("net");
  const Value x = b.input({3, 1}).linear(2, {.weights = tiled(2)}).named("l");
  Model model{.graph = b.finish(x.batch_norm({.eps = 0.25}).named("n")), .tensors = {}};
  const auto put = [&](const char* name, Shape shape, std::vector<float> values) {
    model.tensors[name] = HostTensor::of<float>(shape, values);
  };
  put("l.latent", {1, 1}, {0.5f});
  put("l.alpha", {2}, {0.5f, 2});
  put("l.bias", {2}, {3, 5});
  put("n.weight", {2}, {1, -2});
  put("n.bias", {2}, {10, 20});
  put("n.running_mean", {2}, {1, 1});
  put("n.running_var", {2}, {3.75f, 0.75f});  // roots 2, 1
  const Model packed = pack_model(model);

  REQUIRE(packed.graph.nodes.size() == 2);
  CHECK(packed.graph.output_shape() == Shape{3, 2});
  const auto scale = packed.tensors.at("l.scale").values<float>();
  CHECK(std::vector<float>(scale.begin(), scale.end()) == std::vector<float>{0.25f, -4});
  const auto bias = packed.tensors.at("l.bias").values<float>();
  CHECK(std::vector<float>(bias.begin(), bias.end()) == std::vector<float>{11, 12});
}

TEST_CASE("a norm over the planes of a linear's output stays outside of it") {
  GraphBuilder b("net");
  Model model = test::random_trained(
      b.finish(b.input({3, 2, 4}).linear(3).named("l").batch_norm().named("n")), 9);
  const std::vector<float> input = test::random_values(24, 5);
  const auto before = test::naive_eval(model, input);
  const Model packed = pack_model(model);
  CHECK(has_node(packed.graph, "n"));
  CHECK(test::relative_error(test::naive_eval(packed, input), before) < 1e-6);
}

TEST_CASE("a model that diverged is refused by the tensor's name") {
  Model model = test::random_trained(test::odd_network(), 1);
  model.tensors.at("stem.latent").values<float>()[3] = std::numeric_limits<float>::quiet_NaN();
  const std::string message = test::message_of<NonFiniteError>([&] { pack_model(model); });
  CHECK(test::says(message, {"'stem.latent'", "nan", "diverged"}));
}

TEST_CASE("a running variance below zero is refused by node and channel") {
  GraphBuilder b("net");
  Model model = test::random_trained(b.finish(b.input({3}).batch_norm().named("n")), 1);
  model.tensors.at("n.running_var").values<float>()[2] = -1;
  CHECK(
      test::message_of<DataError>([&] { pack_model(model); }) ==
      "batch_norm 'n': the running variance of channel 2 is -1.000000, and none may be below zero");
}

TEST_CASE("a model without one of its tensors is refused") {
  Model model = test::random_trained(test::odd_network(), 1);
  model.tensors.erase("stem.alpha");
  const std::string message = test::message_of<DataError>([&] { pack_model(model); });
  CHECK(test::says(message, {"trained model", "'stem.alpha'", "missing"}));
}
