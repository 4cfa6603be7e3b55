// The CPU backends against the evaluator in double, over every op and odd shapes, from one
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

using Values = std::vector<Value>;

// What the op reads, made of the graph's input.
Values itself(Value x) { return {x}; }
Values and_relu(Value x) { return {x, x.relu()}; }
Values twice(Value x) { return {x, x}; }
Values and_transposed(Value x) { return {x, x.activation(ActivationKind::kTanh).transpose()}; }
Values three(Value x) { return {x, x.activation(ActivationKind::kTanh), x.relu()}; }
Values part_and_all(Value x) { return {x.slice(1, 1, 2), x, x.slice(1, 0, 1)}; }

struct Case {
  std::string what;
  Shape input;
  Op op;
  Values (*inputs)(Value) = itself;
};

std::vector<float> run(Session& session, const std::vector<float>& input, std::int64_t batch) {
  const std::int64_t outputs = batch * element_count(session.network().output_shape());
  std::vector<float> output(static_cast<std::size_t>(outputs), kPoison);
  session.run(input, batch, output);
  return output;
}

void check_parity(const Model& packed, double low = -2, double high = 2) {
  const auto network = Network::from(packed);
  const std::vector<float> input =
      test::random_values(element_count(packed.graph.input_shape()), 99, low, high);
  const std::vector<double> expected = test::naive_eval(packed, input);
  for (const Backend backend : {Backend::kReference, Backend::kExact}) {
    CAPTURE(to_string(backend));
    Session session(network, {.backend = backend});
    CHECK(test::relative_error(run(session, input, 1), expected) < 1e-5);
  }
}

Graph graph_of(const Case& c) {
  GraphBuilder b("case");
  return b.finish(b.add(c.op, c.inputs(b.input(c.input))));
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
      {"of a sequence", {3, 2}, Normalize{.mean = {0.5f, -1}, .std = {2, 0.25f}}},
      {"of a map", {3, 4, 5}, Affine{}},
      {"of a vector", {7}, Affine{.activation = ActivationKind::kSilu}},
      {"of a sequence", {3, 5}, Affine{.activation = ActivationKind::kRelu}},
      {"", {3, 4, 5}, Add{}, and_relu},
      {"and relu", {11}, Add{.activation = ActivationKind::kRelu}, and_relu},
      {"", {3, 5}, Subtract{}, and_relu},
      {"", {3, 4, 5}, Multiply{}, and_relu},
      {"of one value with itself", {7}, Multiply{}, twice},
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

std::vector<Case> shaping_cases() {
  return {
      {"", {2, 3, 4}, Pad2d{.top = 1, .bottom = 2, .left = 3}},
      {"to the right", {1, 1, 1}, Pad2d{.right = 5}},
      {"", {2, 3, 5}, Reshape{{6, 5}}},
      {"", {3, 5}, Transpose{}},
      {"of several matrices", {2, 3, 5}, Transpose{}},
      {"the first dimension", {3, 5}, Concat{}, and_relu},
      {"uneven parts of the second", {3, 5}, Concat{.axis = 1}, part_and_all},
      {"between others", {2, 3, 5}, Concat{.axis = 1}, part_and_all},
      {"one value twice", {2, 3}, Concat{.axis = 1}, twice},
      {"rows", {5, 3}, Slice{.begin = 1, .length = 3}},
      {"the end of the middle", {2, 5, 3}, Slice{.axis = 1, .begin = 3, .length = 2}},
      {"one column", {4, 7}, Slice{.axis = 1, .begin = 6}},
      {"", {5}, Expand{.count = 3}},
  };
}

std::vector<Case> sequence_cases() {
  return {
      {"of a vector", {13}, LayerNorm{}},
      {"of a sequence", {5, 7}, LayerNorm{.eps = 0.125}},
      {"of an image's rows", {2, 3, 5}, LayerNorm{}},
      {"", {3, 5}, ClassToken{}},
      {"learned", {3, 5}, PositionEmbedding{}},
      {"sinusoidal", {7, 5}, PositionEmbedding{PositionKind::kSinusoidal}},
      {"", {5, 7}, MatMul{}, and_transposed},
      {"", {5, 5}, AddIdentity{}},
      {"mean", {7, 5}, SequencePool{}},
      {"maximum", {7, 5}, SequencePool{PoolKind::kMax}},
      {"of one token", {1, 5}, SequencePool{}},
      {"5", {9, 3}, MovingAverage{.kernel = 5}},
      {"1", {4, 3}, MovingAverage{.kernel = 1}},
      {"longer than the sequence", {4, 3}, MovingAverage{.kernel = 25}},
  };
}

std::vector<Case> attention_cases() {
  const auto windows = [](std::int64_t shift, bool bias) {
    return Attention{
        .heads = 3, .grid = {6, 4}, .window = 2, .shift = shift, .relative_bias = bias};
  };
  return {
      {"one head, one input", {5, 21}, Attention{}},
      {"three heads, one input", {7, 27}, Attention{.heads = 3}},
      {"three heads, three inputs", {7, 15}, Attention{.heads = 3}, three},
      {"heads of one feature", {5, 4}, Attention{.heads = 4}, three},
      {"one token", {1, 6}, Attention{.heads = 2}},
      {"windows", {24, 27}, windows(0, false)},
      {"windows with a bias", {24, 27}, windows(0, true)},
      {"shifted windows", {24, 27}, windows(1, false)},
      {"shifted windows with a bias", {24, 27}, windows(1, true)},
      {"shifted windows of three inputs", {24, 9}, windows(1, true), three},
      {"windows of 3 shifted by 2",
       {54, 12},
       Attention{.heads = 2, .grid = {6, 9}, .window = 3, .shift = 2, .relative_bias = true}},
      {"one window, shifted",
       {9, 6},
       Attention{.heads = 2, .grid = 3, .window = 3, .shift = 1, .relative_bias = true}},
  };
}

std::vector<Case> all_cases() {
  std::vector<Case> all = conv_cases();
  for (const auto& cases :
       {linear_cases(), other_cases(), shaping_cases(), sequence_cases(), attention_cases()}) {
    all.insert(all.end(), cases.begin(), cases.end());
  }
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

TEST_CASE("attention weighs values as computed by hand") {
  // Queries (0, 0, 0, 0) and (2, 0, 0, 0), keys (0, 0, 0, 0) and (ln 3, 0, 0, 0): the scores, over
  // sqrt(4), are 0, 0 and 0, ln 3, so the weights 1/2, 1/2 and 1/4, 3/4.
  GraphBuilder b("two tokens");
  const Value x = b.input({2, 12});
  Session session(Network::from({.graph = b.finish(x.attention({})), .tensors = {}}));
  const float ln3 = 1.0986122887f;
  const std::vector<float> input = {0, 0, 0, 0, 0,   0, 0, 0, 1, 10, 4, -8,  //
                                    2, 0, 0, 0, ln3, 0, 0, 0, 5, 20, 8, 8};
  const std::vector<double> expected = {3, 15, 6, 0, 4, 17.5, 7, 4};
  CHECK(test::relative_error(run(session, input, 1), expected) < 1e-6);
}

TEST_CASE("pixels that only the roll made neighbours do not see each other") {
  // One window of 2 x 2, shifted by 1: no two of its pixels were neighbours across the border.
  GraphBuilder b("four corners");
  const Value x = b.input({4, 3});
  Session session(Network::from(
      {.graph = b.finish(x.attention({.grid = 2, .window = 2, .shift = 1})), .tensors = {}}));
  const std::vector<float> input = {1, 2, 30, 4, 5, 60, 7, 8, 90, 10, 11, 120};
  CHECK(run(session, input, 1) == std::vector<float>{30, 60, 90, 120});
}

TEST_CASE("the relative bias of a pair is at the query's place less the key's") {
  // Queries are 0. A bias of 200 where the query is one to the right of the key: pixels 1 and 3 see
  // 0 and 2 alone; pixels 0 and 2 have no key to their left and see all four.
  GraphBuilder b("bias");
  const Value x = b.input({4, 3});
  Model model{
      .graph = b.finish(x.attention({.grid = 2, .window = 2, .relative_bias = true}).named("a")),
      .tensors = {}};
  std::vector<float> table(9, 0.0f);
  table[1 * 3 + 2] = 200;  // dy = 0, dx = 1
  model.tensors["a.relative_bias"] = HostTensor::of<float>({9, 1}, table);
  Session session(Network::from(std::move(model)));
  const std::vector<float> input = {0, 1, 10, 0, 1, 20, 0, 1, 30, 0, 1, 80};
  CHECK(run(session, input, 1) == std::vector<float>{35, 10, 35, 30});
}

TEST_CASE("scores beyond the exponential's range still give weights") {
  GraphBuilder b("large");
  const Value x = b.input({2, 3});
  Session session(Network::from({.graph = b.finish(x.attention({})), .tensors = {}}));
  CHECK(run(session, {1000, 1000, 7, -1000, -1000, 9}, 1) == std::vector<float>{7, 9});
}

TEST_CASE("a norm after a linear over a sequence gives the same folded and not folded") {
  const auto check = [](bool folded) {
    GraphBuilder b("sequence");
    Value x = b.input({5, 7}).linear(6, {.weights = tiled(3)}).named("layer");
    Value y = x.batch_norm();
    if (!folded) y = y + x;  // the layer is read twice
    const Model trained = test::random_trained(b.finish(y.transpose()), 21);
    const Model packed = pack_model(trained);
    bool affine = false;
    for (const Node& node : packed.graph.nodes) affine |= std::holds_alternative<Affine>(node.op);
    CHECK(affine != folded);
    Session session(Network::from(packed));
    const std::vector<float> input = test::random_values(35, 4);
    CHECK(test::relative_error(run(session, input, 1), test::naive_eval(trained, input)) < 1e-5);
  };
  check(true);
  check(false);
}

TEST_CASE("a network of tokens gives the same trained and packed") {
  GraphBuilder b("tokens");
  Value x = b.input({3, 6, 4}).conv(8, {.kernel = 3, .weights = tiled(4)}).batch_norm().to_tokens();
  Value y = x.layer_norm().linear(24, {.weights = tiled(8)});
  y = y.attention({.heads = 2, .grid = {6, 4}, .window = 2, .shift = 1, .relative_bias = true});
  x = x + y.linear(8, {.weights = tiled(2)}).dropout(0.1);
  x = concat({x, x * x.linear(8)}, 1).class_token().position_embedding();
  x = x + attention(x, x.linear(16), x, {.heads = 4});
  x = x.linear(8, {.weights = tiled(4)}).batch_norm().gelu() - x.slice(1, 3, 8);
  x = concat({x.slice(0, 0, 1).flatten(), x.sequence_pool(PoolKind::kMax)}, 0);
  const Model trained = test::random_trained(b.finish(x.linear(5)), 8);
  const Model packed = pack_model(trained);
  Session session(Network::from(packed));
  const std::vector<float> input = test::random_values(72, 3, -2, 2);
  CHECK(test::relative_error(run(session, input, 1), test::naive_eval(trained, input)) < 1e-5);
  CHECK(test::relative_error(run(session, input, 1), test::naive_eval(packed, input)) < 1e-5);
}
