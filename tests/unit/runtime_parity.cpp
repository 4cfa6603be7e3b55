// The reference backend against the evaluator in double, over every op and odd shapes, from one
// table.
#include <limits>
#include <set>
#include <utility>

#include "graph/passes/passes.h"
#include "support/catch.h"
#include "support/naive_eval.h"
#include "support/random_model.h"
#include "tbn/models.h"
#include "tbn/policy.h"
#include "tbn/runtime.h"

using namespace tbn;

namespace {

constexpr float kPoison = std::numeric_limits<float>::quiet_NaN();

struct Case {
  std::string what;
  Shape input;
  Op op;
};

std::vector<float> run(Session& session, const std::vector<float>& input, std::int64_t batch) {
  const std::int64_t outputs = batch * element_count(session.network().output_shape());
  std::vector<float> output(static_cast<std::size_t>(outputs), kPoison);
  session.run(input, batch, output);
  return output;
}

void check_parity(const Model& packed, double low = -2, double high = 2) {
  Session session(Network::from(packed));
  const std::vector<float> input =
      test::random_values(element_count(packed.graph.input_shape()), 99, low, high);
  CHECK(test::relative_error(run(session, input, 1), test::naive_eval(packed, input)) < 1e-5);
}

Graph graph_of(const Case& c) {
  GraphBuilder b("case");
  const Value x = b.input(c.input);
  std::vector<Value> inputs = {x};
  if (std::holds_alternative<Add>(c.op)) inputs.push_back(x.relu());
  return b.finish(b.add(c.op, inputs));
}

WeightEncoding layer_alpha(std::int64_t p) {
  return TiledWeights{.p = p, .alpha = AlphaScope::kLayer};
}

std::vector<Case> conv_cases() {
  const auto relu = ActivationKind::kRelu;
  return {
      {"float 3x3", {3, 7, 5}, Conv2d{.out_channels = 4, .kernel = 3}},
      {"float 1x1", {3, 7, 5}, Conv2d{.out_channels = 4, .bias = true}},
      {"uneven kernel, stride and padding",
       {2, 11, 8},
       Conv2d{.out_channels = 3, .kernel = {3, 2}, .stride = {2, 3}, .padding = {2, 0}}},
      {"stride 2 over an even width",
       {2, 8, 8},
       Conv2d{.out_channels = 3, .kernel = 3, .stride = 2}},
      {"stride larger than the kernel",
       {2, 9, 9},
       Conv2d{.out_channels = 3, .kernel = 1, .stride = 3}},
      {"padding larger than the kernel",
       {1, 2, 2},
       Conv2d{.out_channels = 2, .kernel = 2, .padding = 3}},
      {"kernel as large as the map",
       {4, 5, 6},
       Conv2d{.out_channels = 2, .kernel = {5, 6}, .padding = 0}},
      {"one pixel", {5, 1, 1}, Conv2d{.out_channels = 3, .kernel = 3}},
      {"more rows than a block",
       {1, 70, 65},
       Conv2d{.out_channels = 2, .kernel = 5, .scale = true}},
      {"groups", {6, 5, 5}, Conv2d{.out_channels = 4, .kernel = 3, .groups = 2, .bias = true}},
      {"depthwise", {6, 5, 5}, Conv2d{.out_channels = 6, .kernel = 3, .groups = 6}},
      {"binary", {3, 6, 6}, Conv2d{.out_channels = 5, .kernel = 3, .weights = binary()}},
      {"rows, p = 4, 27 bits a row",
       {3, 6, 6},
       Conv2d{.out_channels = 8, .kernel = 3, .weights = tiled(4)}},
      {"rows, one row", {3, 6, 6}, Conv2d{.out_channels = 8, .kernel = 3, .weights = tiled(8)}},
      {"rows, alpha of the layer",
       {3, 6, 6},
       Conv2d{.out_channels = 8, .kernel = 3, .bias = true, .weights = layer_alpha(4)}},
      {"rows, folded norm and activation",
       {7, 6, 6},
       Conv2d{.out_channels = 6,
              .kernel = 3,
              .stride = 2,
              .bias = true,
              .weights = tiled(3),
              .scale = true,
              .activation = relu}},
      {"rows and groups: not to be reused",
       {6, 6, 6},
       Conv2d{.out_channels = 6, .kernel = 3, .groups = 3, .weights = tiled(2)}},
      {"rows and groups with a folded norm",
       {6, 6, 6},
       Conv2d{.out_channels = 6,
              .kernel = 3,
              .groups = 2,
              .bias = true,
              .weights = tiled(3),
              .scale = true}},
      {"binary groups",
       {6, 6, 6},
       Conv2d{.out_channels = 6, .kernel = 3, .groups = 2, .weights = binary()}},
      {"flat, 30 bits", {4, 6, 6}, Conv2d{.out_channels = 10, .kernel = 3, .weights = tiled(12)}},
      {"flat with a folded norm",
       {4, 6, 6},
       Conv2d{.out_channels = 10, .kernel = 3, .bias = true, .weights = tiled(8), .scale = true}},
      {"flat, alpha of the layer, groups",
       {4, 6, 6},
       Conv2d{.out_channels = 10, .kernel = 3, .groups = 2, .weights = layer_alpha(4)}},
  };
}

std::vector<Case> linear_cases() {
  return {
      {"float", {13}, Linear{.out_features = 7}},
      {"float without bias", {13}, Linear{.out_features = 7, .bias = false}},
      {"over a sequence", {3, 13}, Linear{.out_features = 6, .weights = tiled(3)}},
      {"binary, 65 bits a row", {65}, Linear{.out_features = 9, .weights = binary()}},
      {"rows, 33 bits", {33}, Linear{.out_features = 8, .bias = false, .weights = tiled(4)}},
      {"rows with a folded norm",
       {33},
       Linear{.out_features = 8,
              .weights = tiled(4),
              .scale = true,
              .activation = ActivationKind::kGelu}},
      {"flat, 63 bits", {21}, Linear{.out_features = 9, .weights = layer_alpha(3 * 7)}},
      {"flat, 35 bits", {21}, Linear{.out_features = 10, .weights = tiled(6), .scale = true}},
      {"one output", {5}, Linear{.out_features = 1}},
  };
}

std::vector<Case> other_cases() {
  std::vector<Case> cases = {
      {"", {3, 4}, Input{{3, 4}}},
      {"", {2, 3, 3}, Normalize{.mean = {0.5f, -1}, .std = {2, 0.25f}}},
      {"of a map", {3, 4, 5}, Affine{}},
      {"of a vector", {7}, Affine{.activation = ActivationKind::kSilu}},
      {"", {3, 4, 5}, Add{}},
      {"and relu", {11}, Add{.activation = ActivationKind::kRelu}},
      {"2", {2, 5, 6}, MaxPool2d{}},
      {"3, stride 2, padding 1", {2, 8, 7}, MaxPool2d{.kernel = 3, .stride = 2, .padding = 1}},
      {"uneven", {2, 9, 7}, MaxPool2d{.kernel = {2, 4}, .stride = {3, 1}, .padding = {1, 2}}},
      {"2", {2, 5, 6}, AvgPool2d{}},
      {"uneven", {2, 9, 7}, AvgPool2d{.kernel = {2, 4}, .stride = {3, 1}}},
      {"", {5, 3, 7}, GlobalAvgPool{}},
      {"", {3, 2, 2}, Flatten{}},
  };
  for (const auto kind : {ActivationKind::kNone, ActivationKind::kRelu, ActivationKind::kGelu,
                          ActivationKind::kSilu, ActivationKind::kTanh, ActivationKind::kSigmoid}) {
    cases.push_back({std::string(to_string(kind)), {3, 5}, Activation{kind}});
  }
  return cases;
}

std::vector<Case> all_cases() {
  std::vector<Case> all = conv_cases();
  for (const Case& c : linear_cases()) all.push_back(c);
  for (const Case& c : other_cases()) all.push_back(c);
  return all;
}

template <std::size_t... I>
std::set<std::string> all_op_names(std::index_sequence<I...>) {
  return {std::string(op_name(Op(std::variant_alternative_t<I, Op>{})))...};
}

}  // namespace

TEST_CASE("the reference backend computes every op as its formula says") {
  for (const Case& c : all_cases()) {
    INFO(op_name(c.op) << ": " << c.what);
    if (std::holds_alternative<Input>(c.op)) {
      GraphBuilder b("case");
      check_parity({.graph = b.finish(b.input(c.input)), .tensors = {}});
    } else {
      check_parity(test::random_packed(graph_of(c), 17));
    }
  }
}

TEST_CASE("every op of a packed network has a parity case") {
  std::set<std::string> expected =
      all_op_names(std::make_index_sequence<std::variant_size_v<Op>>());
  expected.erase("batch_norm");  // training only
  expected.erase("dropout");
  std::set<std::string> covered;
  for (const Case& c : all_cases()) covered.insert(std::string(op_name(c.op)));
  CHECK(covered == expected);
}

TEST_CASE("the reference backend agrees with the trained graph of whole networks") {
  const auto check = [](Graph graph, std::uint64_t seed) {
    const Model trained = test::random_trained(std::move(graph), seed);
    Session session(Network::from(pack_model(trained)));
    const std::vector<float> input =
        test::random_values(element_count(trained.graph.input_shape()), seed, 0, 255);
    CHECK(test::relative_error(run(session, input, 1), test::naive_eval(trained, input)) < 1e-4);
  };
  check(test::odd_network(), 5);
  ModelSpec spec{.type = "resnet18", .options = {}, .input = {1, 9, 9}, .mean = {128}, .std = {64}};
  spec.options["width"] = 0.125;
  Graph resnet = build_model(spec);
  apply_policy(resnet, {.standard = tiled(4), .rules = {}});
  check(resnet, 6);
  Graph mlp = build_model({.type = "mlp", .options = {}, .input = {1, 5, 5}});
  apply_policy(mlp, {.standard = tiled(2), .rules = {}});
  check(mlp, 7);
}
