// The lowered network beside independent opinions, over every form that a layer can take: in float
// the formulas in double and the reference runtime, in integers the float form. tests/mcu compares
// the exported C with the same networks.
#include <algorithm>
#include <cmath>

#include "micro/float_run.h"
#include "micro/integer.h"
#include "micro/lower.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/micro_layers.h"
#include "support/naive_eval.h"
#include "support/random_model.h"
#include "tbn/error.h"
#include "tbn/runtime.h"

using namespace tbn;
using namespace tbn::test;

namespace {

std::vector<MicroCase> all_cases() {
  std::vector<MicroCase> cases = micro_cases();
  for (MicroCase& layer : micro_layers()) cases.push_back(std::move(layer));
  return cases;
}

// An output with its channels last, as the graph has it.
std::vector<float> as_in_graph(const Shape& shape, const std::vector<float>& values) {
  if (shape.size() != 3) return values;
  std::vector<float> out(values.size());
  const auto channels = static_cast<std::size_t>(shape[0]), places = values.size() / channels;
  for (std::size_t i = 0; i < values.size(); ++i) {
    out[i % channels * places + i / channels] = values[i];
  }
  return out;
}

std::vector<float> reference_output(const Model& packed, std::span<const float> input) {
  Session session(Network::from(packed, {}, "case"), {.backend = Backend::kReference});
  std::vector<float> out(static_cast<std::size_t>(element_count(packed.graph.output_shape())));
  session.run(input, 1, out);
  return out;
}

// Of the largest magnitude, not of 1: logits of pixels are large and those of norms small; but not
// of gelu's tails.
double error_of(const std::vector<float>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double worst = 0, largest = 0.01;
  for (std::size_t i = 0; i < a.size(); ++i) {
    worst = std::max(worst, std::abs(a[i] - b[i]));
    largest = std::max(largest, std::abs(b[i]));
  }
  return worst / largest;
}

}  // namespace

TEST_CASE("micro: the lowered network computes what double and the reference runtime compute") {
  for (const MicroCase& micro_case : all_cases()) {
    INFO(micro_case.name);
    const Model& packed = micro_case.packed;
    const micro::Network lowered = micro::lower(packed);
    const std::vector<float> input = random_images(packed.graph, 1, 5);
    const std::vector<float> out = as_in_graph(
        packed.graph.output_shape(),
        micro::run_floats(lowered, lowered.takes_bytes
                                       ? micro::channels_last(lowered.input, input.data())
                                       : input));
    const std::vector<double> expected = naive_eval(packed, input);
    CHECK(error_of(out, expected) <= 5e-5);
    CHECK(error_of(reference_output(packed, input), expected) <= 5e-5);
  }
}

TEST_CASE("micro: integers stay within some hundredths of the float form's range") {
  for (const MicroCase& micro_case : all_cases()) {
    INFO(micro_case.name);
    const micro::Network network = micro::lower(micro_case.packed);
    constexpr std::int64_t kImages = 16;
    const std::vector<float> images = random_images(micro_case.packed.graph, kImages, 3);
    micro::Ranges ranges;
    std::vector<std::vector<float>> inputs;
    for (std::int64_t i = 0; i < kImages; ++i) {
      inputs.push_back(
          micro::channels_last(network.input, images.data() + i * network.input.size()));
      micro::observe_ranges(network, inputs.back(), ranges);
    }
    if (!network.takes_bytes) {
      CHECK(says(message_of<ConfigError>([&] { micro::quantize(network, ranges); }),
                 {"takes floats"}));
      continue;
    }
    const micro::IntegerNetwork integers = micro::quantize(network, ranges);
    const auto output = static_cast<std::size_t>(network.output);
    const double scale = integers.logits ? integers.logit_scale : integers.quantities[output].scale;
    const int zero = integers.logits ? 0 : integers.quantities[output].zero;
    double worst = 0;
    for (const std::vector<float>& image : inputs) {
      const std::vector<float> expected = micro::run_floats(network, image);
      const std::vector<std::int32_t> out =
          micro::run_integers(integers, std::vector<std::uint8_t>(image.begin(), image.end()));
      REQUIRE(out.size() == expected.size());
      for (std::size_t i = 0; i < out.size(); ++i) {
        worst = std::max(worst, std::abs(scale * (out[i] - zero) - expected[i]));
      }
    }
    CHECK(worst <= 0.08 * (ranges[output].high - ranges[output].low));
  }
}
