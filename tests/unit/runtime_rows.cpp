// What backends make of rows that no encoding gives them yet: every one multiplies them, or refuses
// the layer by name.
#include <algorithm>
#include <cmath>

#include "encodings/support.h"
#include "micro/lower.h"
#include "runtime/cpu/fast/kernel.h"
#include "runtime/cpu/program.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/made_rows.h"
#include "support/naive_eval.h"
#include "support/random_model.h"
#include "support/run_program.h"
#include "tbn/error.h"

using namespace tbn;

namespace {

// Values of 256 steps from -1 to 2, both among them in each vector or image, so that rounding
// inputs to bytes changes none.
std::vector<float> stepped_values(const Shape& shape, std::uint64_t seed) {
  const std::int64_t count = element_count(shape);
  const std::int64_t run = shape.size() == 2 ? shape.back() : count;
  std::vector<float> values;
  for (const float v : test::random_values(count, seed, 0, 256)) {
    values.push_back((std::floor(v) - 85.0f) / 85.0f);
  }
  for (std::int64_t i = 0; i < count; i += run) {
    values[static_cast<std::size_t>(i)] = -1;
    values[static_cast<std::size_t>(i + run - 1)] = 2;
  }
  return values;
}

// How often int8 layers multiplied integers as bytes.
int check_programs(const test::MadeRows& made) {
  test::KernelCount integers("integers");
  const Graph& graph = made.model.graph;
  const auto input = stepped_values(graph.input_shape(), 5);
  const std::vector<double> expected = test::naive_eval(made.model, input);
  for (const fast::Isa& isa : fast::usable_isas()) {
    for (const Backend backend : kBackends) {
      CAPTURE(made.what, isa.name, to_string(backend));
      const cpu::CpuProgram program(graph, made.model.tensors, backend, &isa, {}, made.rows_of());
      CHECK(test::relative_error(test::run(program, graph, input, &integers), expected) < 1e-5);
    }
  }
  return integers.count;
}

}  // namespace

TEST_CASE("integers are multiplied by every backend of the processor") {
  for (const test::MadeRows& made : test::made_integers()) {
    const int as_bytes = check_programs(made);
    // Convolutions of groups are not.
    CHECK(as_bytes == (made.rows.groups == 1 ? std::ssize(fast::usable_isas()) : 0));
  }
}

TEST_CASE("integers of more inputs than 31 bits hold sums of are multiplied in float") {
  for (const std::int64_t inputs : {32768, 32769}) {
    GraphBuilder b("long");
    const Graph graph = b.finish(b.input({2, inputs}).linear(2, {.bias = false}).named("layer"));
    const std::vector<std::int8_t> values(static_cast<std::size_t>(2 * inputs), -128);
    const RowsOf rows_of = [&](const Graph&, const TensorMap&, const Node&) {
      return LayerRows{.outputs = 2,
                       .inputs = inputs,
                       .values = IntegerRows{values, 8},
                       .terms = {{.rows = 2, .gain = {}}}};
    };
    const std::vector<float> input(static_cast<std::size_t>(2 * inputs), 1.0f);
    const std::vector<double> expected(4, -128.0 * static_cast<double>(inputs));
    for (const fast::Isa& isa : fast::usable_isas()) {
      CAPTURE(isa.name, inputs);
      test::KernelCount integers("integers");
      const cpu::CpuProgram program(graph, {}, Backend::kInt8, &isa, {}, rows_of);
      CHECK(test::relative_error(test::run(program, graph, input, &integers), expected) < 1e-5);
      CHECK(integers.count == (inputs <= 32768 ? 1 : 0));
    }
  }
}

TEST_CASE("several terms are added up by every backend of the processor") {
  for (const test::MadeRows& made : test::made_terms()) check_programs(made);
}

TEST_CASE("several terms as one are the same layer") {
  for (const test::MadeRows& made : test::made_terms()) {
    CAPTURE(made.what);
    const LayerRows one = with_one_term(made.rows);
    CHECK(one.terms.size() == 1);
    const auto weights = std::as_const(made.model.tensors.at("layer.weight")).values<float>();
    const std::vector<double> wanted(weights.begin(), weights.end());
    CHECK(test::relative_error(expanded(made.rows), wanted) < 1e-6);
    CHECK(expanded(one) == expanded(made.rows));
  }
}

TEST_CASE("integers as floats are the same layer") {
  for (const test::MadeRows& made : test::made_integers()) {
    CAPTURE(made.what);
    const LayerRows floats = with_float_rows(made.rows);
    CHECK(std::holds_alternative<FloatRows>(floats.values));
    CHECK(expanded(floats) == expanded(made.rows));
  }
}

TEST_CASE("a backend that lacks an alphabet refuses the layer by name") {
  const test::MadeRows terms = test::made_terms().front();
  CHECK(test::says(
      test::message_of<ConfigError>([&] { micro::lower(terms.model, terms.rows_of()); }),
      {"linear 'layer': its weights are sums of 3 terms, which microcontrollers do not multiply; "
       "export the network as .tbn"}));

  const Support none = {.backend = "abaci", .way_out = "count by hand"};
  LayerRows rows = test::made_integers().front().rows;
  CHECK(
      refusal(none, rows, "it").starts_with("it: its weights are integers of 3 bits, which abaci"));
  CHECK(refusal({.integers = true}, rows, "it").empty());
  CHECK(refusal({.terms = true}, terms.rows, "it").empty());
  rows.values = FlatTile{};
  CHECK(
      refusal(none, rows, "it") ==
      "it: its weights are a tile whose ends cut rows, which abaci do not multiply; count by hand");
  CHECK(refusal({.flat_tiles = true}, rows, "it").empty());
  for (const RowValues& values : {RowValues(SignRows{}), RowValues(FloatRows{})}) {
    rows.values = values;
    CHECK(refusal(none, rows, "it").empty());
  }
}
