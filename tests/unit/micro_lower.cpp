// What a microcontroller multiplies, and what cannot be lowered.
#include "micro/float_run.h"
#include "micro/lower.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/random_model.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::test;

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
             {"of one group or of one per channel, not of 2"}));
  CHECK(says(refused([](GraphBuilder& b) {
               return b.input({3, 4, 5}).linear(2);
             }),
             {"linear 'linear1'", "its input is an image [3, 4, 5]", "put a flatten before it"}));
  CHECK(says(refused([](GraphBuilder& b) {
               return b.input({2, 3, 4, 5}).flatten().linear(2);
             }),
             {"input", "[2, 3, 4, 5] has more than 3 dimensions"}));
  CHECK(says(refused([](GraphBuilder& b) { return b.input({70000}).linear(2); }),
             {"exceeds 65,535"}));
  CHECK(says(refused([](GraphBuilder& b) {
               return b.input({1, 4, 4}).conv(2, {.kernel = 3, .stride = 70000});
             }),
             {"kernel, stride or padding exceeds 65,535"}));
  CHECK(says(refused([](GraphBuilder& b) { return b.input({5000}).linear(5000); }),
             {"more than 16,777,216 weights"}));
}

TEST_CASE("micro: values far from zero are normalised without cancelling") {
  // 101,325 +- 37 Pa: of x / 37 and a bias of -2,738 few digits would be left.
  GraphBuilder b("far");
  const std::vector<float> means = {101325, -2000000}, deviations = {37, 3};
  const Value x = b.input({3, 2}).normalize(means, deviations);
  const micro::Network network = micro::lower({.graph = b.finish(x), .tensors = {}});
  const std::vector<float> input = {101325.5f, -2000001, 101250, -1999997.5f, 101400.25f, -2000000};
  const std::vector<float> output = micro::run_floats(network, input);
  for (std::size_t i = 0; i < input.size(); ++i) {
    const double exact = (double{input[i]} - means[i % 2]) / deviations[i % 2];
    CHECK(output[i] == Approx(exact).epsilon(3e-7).margin(1e-12));
  }
}
