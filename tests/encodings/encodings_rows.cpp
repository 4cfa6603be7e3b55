// What runtimes are given to multiply, over every encoding and form, beside the weights that the
// formulas in double give.
#include <algorithm>

#include "encodings/encoding.h"
#include "graph/node_rows.h"
#include "graph/passes/passes.h"
#include "support/catch.h"
#include "support/encoding_cases.h"
#include "support/micro_layers.h"
#include "support/naive_eval.h"
#include "support/op_cases.h"
#include "support/random_model.h"
#include "support/zoo_cases.h"
#include "tbn/policy.h"

using namespace tbn;

namespace {

// B^, times a folded norm's scale, rounded once.
std::vector<float> naive_scaled(const Model& model, const Node& node) {
  const std::vector<double> weights = test::naive_weights(model, node);
  const auto scale = model.tensors.find(node.name + ".scale");
  const auto inputs = static_cast<std::size_t>(weight_shape(model.graph, node).inputs);
  std::vector<float> scaled;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double factor = scale == model.tensors.end()
                              ? 1.0
                              : std::as_const(scale->second).values<float>()[i / inputs];
    scaled.push_back(static_cast<float>(weights[i] * factor));
  }
  return scaled;
}

// The same where a gain and a weight that is not 1 are rounded one after the other.
bool nearly_equal(const std::vector<float>& a, const std::vector<float>& b) {
  return std::ranges::equal(
      a, b, [](float x, float y) { return std::abs(x - y) <= 2e-7f * std::abs(y); });
}

void check_rows(const Model& model) {
  for (const Node& node : model.graph.nodes) {
    if (weights_of(node.op) == nullptr) continue;
    CAPTURE(describe(node), to_string(*weights_of(node.op)));
    CHECK(nearly_equal(expanded(layer_rows(model.graph, model.tensors, node)),
                       naive_scaled(model, node)));
  }
}

}  // namespace

TEST_CASE("rows, steps and gains of a layer give its weights") {
  for (const test::OpCase& c : test::op_cases()) {
    INFO(c.what);
    check_rows(test::packed_case(c));
  }
  for (const test::MicroCase& c : test::micro_cases()) {
    INFO(c.name);
    check_rows(c.packed);
  }
  for (const test::MicroCase& c : test::micro_layers()) {
    INFO(c.name);
    check_rows(c.packed);
  }
  check_rows(pack_model(test::random_trained(test::odd_network(), 1)));
  for (const test::EncodingCase& c : test::encoding_cases()) {
    for (const Graph& graph : test::layers_of(c.weights)) {
      check_rows(pack_model(test::random_trained(graph, 2)));
    }
  }
}

TEST_CASE("rows, steps and gains of the zoo's layers give their weights") {
  for (const ModelSpec& spec : test::zoo_cases()) {
    INFO(spec.type);
    Graph graph = build_model(spec);
    apply_policy(graph, {.standard = tiled(4), .min_size = 500, .rules = {}});
    check_rows(pack_model(test::random_trained(std::move(graph), 3)));
  }
}
