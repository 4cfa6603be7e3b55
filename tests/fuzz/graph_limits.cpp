// Networks of every op whose numbers were replaced, most by large ones: each is refused with a
// DataError, or is loaded and runs within the memory that the limits allow.
#include <cctype>
#include <random>
#include <string>

#include "runtime/plan/limits.h"
#include "support/allocations.h"
#include "support/catch.h"
#include "support/op_cases.h"
#include "support/random_model.h"
#include "tbn/error.h"
#include "tbn/runtime.h"

using namespace tbn;

namespace {

constexpr Limits kLimits = {.memory_bytes = 8 << 20, .operations = 20'000'000};

// `text` with one to three of its whole numbers replaced.
std::string with_other_numbers(std::string text, std::mt19937& random) {
  static const char* const kNumbers[] = {"0",
                                         "1",
                                         "2",
                                         "3",
                                         "7",
                                         "64",
                                         "255",
                                         "4095",
                                         "65537",
                                         "1048577",
                                         "16777216",
                                         "2147483647",
                                         "-1",
                                         "2147483648",
                                         "4611686018427387904",
                                         "9223372036854775807"};
  const auto is_digit = [&](std::size_t i) {
    return std::isdigit(static_cast<unsigned char>(text[i])) != 0;
  };
  for (auto edits = 1 + random() % 3; edits > 0; --edits) {
    std::size_t begin = random() % text.size();
    while (begin < text.size() && !is_digit(begin)) ++begin;
    std::size_t end = begin;
    while (end < text.size() && is_digit(end)) ++end;
    text.replace(begin, end - begin, kNumbers[random() % std::size(kNumbers)]);
  }
  return text;
}

// The network with tensors of its own, if it is one within the limits.
std::shared_ptr<const Network> load(const std::string& text) {
  const Graph graph = graph_from_json(text, "t");
  // Before tensors are made for it: those of a file are as large as the file.
  check_limits(graph, kLimits, "t");
  return Network::from(test::random_packed(graph, 1), {}, "t", kLimits);
}

}  // namespace

TEST_CASE("networks of other numbers are refused, or run within their limits", "[fuzz]") {
  std::mt19937 random(1);
  int accepted = 0, refused = 0;
  for (const test::OpCase& c : test::op_cases()) {
    const std::string valid = to_json(test::packed_case(c).graph);
    for (int round = 0; round < 60; ++round) {
      const std::string text = with_other_numbers(valid, random);
      try {
        const auto network = load(text);
        const auto values = [](const Shape& shape) {
          return std::vector<float>(static_cast<std::size_t>(element_count(shape)), 0.5f);
        };
        const std::vector<float> input = values(network->input_shape());
        std::vector<float> output = values(network->output_shape());
        for (const Backend backend : kBackends) {
          const std::int64_t before = test::live_bytes();
          Session session(network, {.backend = backend});
          session.run(input, 1, output);
          // At load the weights are counted with the activations, here these with what kernels
          // work on: each within the limit.
          const std::int64_t most = 2 * kLimits.memory_bytes + (1 << 20);
          if (test::live_bytes() - before > most) FAIL("too much: " << text);
        }
        ++accepted;
      } catch (const DataError&) {
        ++refused;
      }
    }
  }
  CHECK(accepted > 200);
  CHECK(refused > 500);
}
