// Rows that no encoding makes yet, as microcontrollers run them: the float form beside the formulas
// in double, the integer form with the weights that it was given.
#include <algorithm>
#include <cmath>
#include <functional>

#include "export/c_source.h"
#include "micro/float_run.h"
#include "micro/integer.h"
#include "micro/lower.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/made_rows.h"
#include "support/micro_cases.h"
#include "support/naive_eval.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::test;

namespace {

// Microcontrollers know one group, or one per channel.
bool is_refused(const MadeRows& made) {
  return made.rows.groups > 1 && made.rows.groups != made.model.graph.input_shape().front();
}

std::vector<float> channels_first(const Shape& shape, const std::vector<float>& values) {
  if (shape.size() != 3) return values;
  std::vector<float> out(values.size());
  const auto channels = static_cast<std::size_t>(shape[0]), places = values.size() / channels;
  for (std::size_t i = 0; i < values.size(); ++i) {
    out[i % channels * places + i / channels] = values[i];
  }
  return out;
}

const micro::Layer& layer_of(const micro::Network& network) {
  const auto step = std::ranges::find(network.steps, std::string("layer"), &micro::MicroStep::name);
  return std::get<micro::Layer>(step->action);
}

}  // namespace

TEST_CASE("micro: integers are multiplied in float as double does it") {
  int cases = 0;
  for (const MadeRows& made : made_integers()) {
    if (is_refused(made)) continue;
    CAPTURE(made.what);
    ++cases;
    const Model& model = made.model;
    const micro::Network network = micro::lower(model, made.rows_of());
    const std::vector<float> input = random_images(model.graph, 1, 5);
    const std::vector<float> out = channels_first(
        model.graph.output_shape(),
        micro::run_floats(network, network.takes_bytes
                                       ? micro::channels_last(network.input, input.data())
                                       : input));
    CHECK(relative_error(out, naive_eval(model, input)) < 5e-5);
  }
  CHECK(cases > 100);
}

TEST_CASE("micro: integers stay the bytes that they are") {
  int cases = 0;
  for (const MadeRows& made : made_integers()) {
    if (is_refused(made) || made.model.graph.input_shape().size() != 3) continue;
    CAPTURE(made.what);
    ++cases;
    const micro::Network network = micro::lower(made.model, made.rows_of());
    const std::vector<float> images = random_images(made.model.graph, 2, 5);
    const auto image = micro::channels_last(network.input, images.data());
    micro::Ranges ranges;
    micro::observe_ranges(network, image, ranges);
    const micro::IntegerNetwork integers = micro::quantize(network, ranges);

    const auto step =
        std::ranges::find(network.steps, std::string("layer"), &micro::MicroStep::name);
    const auto& own = std::get<micro::IntegerLayer>(
        integers.actions[static_cast<std::size_t>(step - network.steps.begin())]);
    const auto& given = std::get<IntegerRows>(made.rows.values).values;
    CHECK(std::ranges::is_permutation(own.weights, given));
    CHECK(own.weights == std::get<micro::IntegerWeights>(layer_of(network).weights).values);
    // One gain per scalar, and one byte per weight.
    CHECK(own.out.gains.size() == made.rows.term().gain.values.size());
    for (const CSource& source : {c_source(integers, "net"), c_source_f32(network, "net")}) {
      const auto cost = std::ranges::find(source.steps, std::string("layer"), &CStepCost::name);
      CHECK(cost->weights == std::ssize(given));
    }

    const std::vector<float> expected = micro::run_floats(network, image);
    const std::vector<std::int32_t> out =
        micro::run_integers(integers, std::vector<std::uint8_t>(image.begin(), image.end()));
    const auto output = static_cast<std::size_t>(network.output);
    const double scale = integers.logits ? integers.logit_scale : integers.quantities[output].scale;
    const int zero = integers.logits ? 0 : integers.quantities[output].zero;
    double worst = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
      worst = std::max(worst, std::abs(scale * (out[i] - zero) - expected[i]));
    }
    CHECK(worst <= 0.02 * (ranges[output].high - ranges[output].low));
  }
  CHECK(cases > 50);
}

TEST_CASE("micro: integers of more inputs than 32-bit sums hold are refused in bytes") {
  GraphBuilder b("long");
  const Graph graph =
      b.finish(b.input({1, 1, 32769}).flatten().linear(1, {.bias = false}).named("layer"));
  const std::vector<std::int8_t> values(32769, -128);
  const RowsOf rows_of = [&](const Graph&, const TensorMap&, const Node&) {
    return LayerRows{.outputs = 1,
                     .inputs = 32769,
                     .values = IntegerRows{values, 8},
                     .terms = {{.rows = 1, .gain = {}}}};
  };
  const micro::Network network = micro::lower({.graph = graph, .tensors = {}}, rows_of);
  const micro::Ranges ranges(network.sizes.size(), {-1, 1});
  for (const auto& call : {std::function<void()>([&] { micro::quantize(network, ranges); }),
                           std::function<void()>([&] { micro::check_quantizable(network); })}) {
    CHECK(says(message_of<ConfigError>(call), {"'layer'", "32,768 inputs", "--form f32"}));
  }
}
