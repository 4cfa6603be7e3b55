// The lowered network in float beside the reference runtime, and what cannot be lowered.
#include <algorithm>
#include <cmath>

#include "micro/float_run.h"
#include "micro/lower.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/micro_cases.h"
#include "support/random_model.h"
#include "tbn/error.h"
#include "tbn/runtime.h"

using namespace tbn;
using namespace tbn::test;

TEST_CASE("micro: the lowered network computes what the reference runtime computes") {
  for (const MicroCase& micro_case : micro_cases()) {
    INFO(micro_case.name);
    const micro::Network lowered = micro::lower(micro_case.packed);
    const Graph& graph = micro_case.packed.graph;
    const std::vector<float> image = random_images(graph, 1, 5);
    Session session(Network::from(micro_case.packed, {}, "case"), {.backend = Backend::kReference});
    std::vector<float> expected(static_cast<std::size_t>(element_count(graph.output_shape())));
    session.run(image, 1, expected);

    const std::vector<float> out =
        micro::run_floats(lowered, micro::channels_last(lowered.input, image.data()));
    REQUIRE(out.size() == expected.size());
    // The output's channels are last, too.
    const Shape& shape = graph.output_shape();
    const std::int64_t places = shape.size() == 3 ? shape[1] * shape[2] : 1;
    const std::int64_t channels = static_cast<std::int64_t>(out.size()) / places;
    float largest = 0;
    for (const float value : expected) largest = std::max(largest, std::abs(value));
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(out.size()); ++i) {
      const std::int64_t from = i % channels * places + i / channels;
      CHECK(std::abs(out[static_cast<std::size_t>(i)] - expected[static_cast<std::size_t>(from)]) <=
            2e-5f * largest);
    }
  }
}

TEST_CASE("micro: multiply-adds count the unique rows of a tile") {
  GraphBuilder b("net");
  Value x = b.input({1, 28, 28}).flatten();
  x = x.linear(128, {.bias = false, .weights = tiled(4)}).relu();
  const Graph graph = b.finish(x.linear(10, {.bias = false, .weights = binary()}));
  const micro::Network network = micro::lower(random_packed(graph, 1));
  REQUIRE(network.steps.size() == 3);  // relu was no pass's yet
  CHECK(micro::multiply_adds(network.steps[0]) == 32 * 784);
  CHECK(micro::multiply_adds(network.steps[2]) == 1280);
}

TEST_CASE("micro: an op that microcontrollers lack is refused by name") {
  const auto refused = [](auto build) {
    GraphBuilder b("net");
    const Graph graph = b.finish(build(b));
    return message_of<ConfigError>([&] { micro::lower(random_packed(graph, 1)); });
  };
  CHECK(says(refused([](GraphBuilder& b) {
               return b.input({4, 8}).layer_norm();
             }),
             {"layer_norm 'norm1'", "microcontrollers run conv2d"}));
  CHECK(says(refused([](GraphBuilder& b) {
               return b.input({4, 6, 6}).conv(8, {.kernel = 3, .groups = 2, .weights = binary()});
             }),
             {"of one group or of one a channel, not of 2"}));
  CHECK(says(refused([](GraphBuilder& b) { return b.input({70000}).linear(2); }),
             {"exceeds 65,535"}));
  CHECK(says(refused([](GraphBuilder& b) {
               return b.input({1, 4, 4}).conv(2, {.kernel = 3, .stride = 70000});
             }),
             {"kernel, stride or padding exceeds 65,535"}));
  CHECK(says(refused([](GraphBuilder& b) { return b.input({5000}).linear(5000); }),
             {"more than 16,777,216 weights"}));
}
