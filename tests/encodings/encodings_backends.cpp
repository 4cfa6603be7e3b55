// Every backend computes every encoding as the evaluator in double does, or refuses it by name.
#include "graph/passes/passes.h"
#include "micro/float_run.h"
#include "micro/lower.h"
#include "support/catch.h"
#include "support/encoding_cases.h"
#include "support/errors.h"
#include "support/naive_eval.h"
#include "support/random_model.h"
#include "tbn/error.h"
#include "tbn/runtime.h"

using namespace tbn;
using tbn::test::EncodingCase;

namespace {

// Packed layers of every encoding, with an input.
template <class F>
void each_layer(F f) {
  for (const EncodingCase& c : test::encoding_cases()) {
    for (const Graph& graph : test::layers_of(c.weights)) {
      CAPTURE(c.text, to_text(graph));
      f(pack_model(test::random_trained(graph, 11)),
        test::random_values(element_count(graph.input_shape()), 12, -2, 2));
    }
  }
}

micro::Map output_map(const Graph& graph) {
  const Shape& y = graph.output_shape();
  return y.size() == 3 ? micro::Map{.h = y[1], .w = y[2], .c = y[0]} : micro::Map{.c = y[0]};
}

}  // namespace

TEST_CASE("every backend of the processor computes every encoding") {
  each_layer([](const Model& packed, const std::vector<float>& input) {
    const auto network = Network::from(packed);
    const std::vector<double> wanted = test::naive_eval(packed, input);
    std::vector<float> output(wanted.size());
    for (const Backend backend : {Backend::kReference, Backend::kExact, Backend::kInt8}) {
      CAPTURE(to_string(backend));
      Session(network, {.backend = backend}).run(input, 1, output);
      const double tolerance = backend == Backend::kInt8 ? 0.02 : 1e-5;
      CHECK(test::relative_error(output, wanted) < tolerance);
    }
  });
}

TEST_CASE("microcontrollers compute every encoding, or refuse it by name") {
  each_layer([](const Model& packed, const std::vector<float>& input) {
    try {
      const micro::Network network = micro::lower(packed);
      const std::vector<double> wanted = test::naive_eval(packed, input);
      CHECK(test::relative_error(
                micro::run_floats(network, micro::channels_last(network.input, input.data())),
                micro::channels_last(output_map(packed.graph), wanted.data())) < 1e-5);
    } catch (const ConfigError& error) {
      CHECK(test::says(error.what(), {describe(packed.graph.node(1)) + ": "}));
    }
  });
}
