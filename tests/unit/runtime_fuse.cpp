// Additions that the fast backends take into a layer: what the graph becomes, where the values lie,
// and the answers against the evaluator in double.
#include <limits>

#include "runtime/cpu/fast/kernel.h"
#include "runtime/plan/fuse_additions.h"
#include "runtime/plan/plan.h"
#include "support/catch.h"
#include "support/naive_eval.h"
#include "support/random_model.h"
#include "tbn/runtime.h"

using namespace tbn;

namespace {

constexpr auto kRelu = ActivationKind::kRelu;

Value conv(Value x, std::int64_t p = 4) {
  return x.conv(x.channels(),
                {.kernel = 3, .weights = p > 0 ? tiled(p) : WeightEncoding(FloatWeights{})});
}

struct Case {
  const char* what;
  Shape input;
  Value (*build)(Value);
  int fused;  // additions that a layer takes in
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"a residual that is the layer's own input",
       {8, 6, 5},
       [](Value x) { return conv(x) + x; },
       1},
      {"a residual that dies in the sum",
       {40, 9, 7},
       [](Value x) {
         const Value r = x.conv(40, {.weights = tiled(2)});
         return r + conv(x.relu());
       },
       1},
      {"two layers: the later one adds",
       {16, 8, 8},
       [](Value x) {
         const Value first = conv(x.relu());
         return first + conv(x);
       },
       1},
      {"a chain in one place",
       {16, 33, 40},
       [](Value x) {
         for (int i = 0; i < 3; ++i) x = x + conv(conv(x).relu());
         return x;
       },
       3},
      {"float weights", {5, 7, 6}, [](Value x) { return conv(x, 0) + x; }, 1},
      {"a residual in the other order",
       {6, 4, 4},
       [](Value x) {
         const Value r = x.reshape({16, 6}).transpose().reshape({6, 4, 4});
         return conv(x, 3) + r;
       },
       1},
      {"vectors", {48}, [](Value x) { return x.linear(48, {.weights = tiled(4)}) + x; }, 1},
      {"few rows", {7, 32}, [](Value x) { return x + x.linear(32, {.weights = tiled(8)}); }, 1},
      {"rows apart",
       {5, 24},
       [](Value x) {
         const TiledWeights beside{.p = 4, .order = TileOrder::kInterleave};
         const Value r = x.gelu();  // first on every compiler: the sides of a sum have no order
         return x.linear(24, {.weights = beside}) + r;
       },
       1},
      {"a layer that is read twice keeps its sum",
       {24},
       [](Value x) {
         const Value y = x.linear(24, {.weights = tiled(4)});
         const Value sum = y + x;
         return sum + y.relu();
       },
       0},
      {"a layer with an activation keeps its own",
       {24},
       [](Value x) { return x.linear(24, {.weights = tiled(4), .activation = kRelu}) + x; },
       0},
      {"a layer and itself",
       {24},
       [](Value x) {
         const Value y = x.linear(24, {.weights = tiled(4)});
         return y + y;
       },
       0},
      {"a residual that comes after the layer",
       {24},
       [](Value x) {
         const Value y = x.linear(24, {.weights = tiled(4)});
         return y + x.gelu();
       },
       0},
      {"groups", {12, 5, 5}, [](Value x) { return x.conv(12, {.kernel = 3, .groups = 4}) + x; }, 0},
  };
  return all;
}

Model packed(const Case& c, ActivationKind activation) {
  GraphBuilder b("case");
  Graph graph = b.finish(c.build(b.input(c.input)));
  for (Node& node : graph.nodes) {
    if (auto* add = std::get_if<Add>(&node.op)) add->activation = activation;
  }
  return test::random_packed(std::move(graph), 3);
}

int fused(const Graph& graph) {
  int count = 0;
  for (const Node& node : graph.nodes) {
    count += weights_of(node.op) != nullptr && adds_input(node) ? 1 : 0;
  }
  return count;
}

}  // namespace

TEST_CASE("sums with a layer agree with the evaluator in double, whoever adds") {
  for (const Case& c : cases()) {
    for (const auto activation : {ActivationKind::kNone, kRelu, ActivationKind::kGelu}) {
      CAPTURE(c.what, to_string(activation));
      const Model model = packed(c, activation);
      CHECK(fused(fuse_additions(model.graph)) == c.fused);
      const auto input = test::random_values(element_count(c.input), 4, -1, 1);
      const std::vector<double> expected = test::naive_eval(model, input);
      const auto network = Network::from(model);
      for (const int threads : {1, 3}) {
        Session session(network, {.backend = Backend::kExact, .threads = threads});
        std::vector<float> output(expected.size(), std::numeric_limits<float>::quiet_NaN());
        session.run(input, 1, output);
        CHECK(test::relative_error(output, expected) < 1e-5);
      }
      Session rounded(network, {.backend = Backend::kInt8});
      std::vector<float> output(expected.size(), std::numeric_limits<float>::quiet_NaN());
      rounded.run(input, 1, output);
      CHECK(test::relative_error(output, expected) < 0.1);
    }
  }
}

TEST_CASE("a layer writes its sum over a residual that dies, and never over what it multiplies") {
  GraphBuilder b("net");
  const Value x = b.input({16}).relu();  // 1
  const Value r = x.linear(16);          // 2
  const Value y = x.linear(16) + r;      // 3, 4
  const Value z = y.linear(16) + y;      // 5, 6
  const Graph graph = fuse_additions(b.finish(z));
  REQUIRE(fused(graph) == 2);
  const MemoryPlan plan = plan_memory(graph);
  CHECK(plan.slots[3].offset == plan.slots[2].offset);
  CHECK(plan.slots[4].offset == plan.slots[3].offset);
  CHECK(plan.slots[5].offset != plan.slots[4].offset);
  CHECK(plan.slots[6].offset == plan.slots[5].offset);
  CHECK(plan.arena_values == 32);
}
