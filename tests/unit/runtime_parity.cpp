// The CPU backends against the evaluator in double, over every op and odd shapes.
#include <limits>
#include <set>
#include <utility>

#include "graph/passes/passes.h"
#include "support/catch.h"
#include "support/naive_eval.h"
#include "support/op_cases.h"
#include "support/random_model.h"
#include "tbn/models.h"
#include "tbn/policy.h"
#include "tbn/runtime.h"

using namespace tbn;

namespace {

constexpr float kPoison = std::numeric_limits<float>::quiet_NaN();

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

template <std::size_t... I>
std::set<std::string> all_op_names(std::index_sequence<I...>) {
  return {std::string(op_name(Op(std::variant_alternative_t<I, OpVariant>{})))...};
}

}  // namespace

TEST_CASE("the reference backend computes every op as its formula says") {
  for (const test::OpCase& c : test::op_cases()) {
    INFO(op_name(c.op) << ": " << c.what);
    check_parity(test::packed_case(c));
  }
}

TEST_CASE("every op of a packed network has a parity case") {
  std::set<std::string> expected =
      all_op_names(std::make_index_sequence<std::variant_size_v<OpVariant>>());
  expected.erase("batch_norm");  // training only
  expected.erase("dropout");
  std::set<std::string> covered;
  for (const test::OpCase& c : test::op_cases()) covered.insert(std::string(op_name(c.op)));
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
