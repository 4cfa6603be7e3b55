// The exact backend with every instruction set that this processor has: sums of signs, and layers
// against the evaluator in double.
#include <limits>

#include "graph/passes/passes.h"
#include "runtime/cpu/exact/kernel.h"
#include "support/catch.h"
#include "support/naive_eval.h"
#include "support/random_model.h"
#include "tbn/runtime.h"

using namespace tbn;

namespace {

constexpr float kPoison = std::numeric_limits<float>::quiet_NaN();

struct Case {
  const char* what;
  Shape input;
  Op op;
};

const std::vector<Case>& cases() {
  static const WeightEncoding beside =
      TiledWeights{.p = 4, .alpha = AlphaScope::kOutput, .order = TileOrder::kInterleave};
  static const std::vector<Case> all = {
      {"one input", {1}, Linear{.out_features = 4, .weights = tiled(4)}},
      {"whole words of both sets", {60}, Linear{.out_features = 64, .weights = tiled(4)}},
      {"a vector over a sequence", {7, 31}, Linear{.out_features = 36, .weights = tiled(2)}},
      {"nine blocks", {97}, Linear{.out_features = 288, .weights = tiled(2)}},
      {"three blocks and a row", {64}, Linear{.out_features = 49, .weights = binary()}},
      {"interleaved", {3, 50}, Linear{.out_features = 40, .weights = beside}},
      {"5 channels", {5, 9, 7}, Conv2d{.out_channels = 64, .kernel = 3, .weights = tiled(4)}},
      {"1 channel", {1, 6, 6}, Conv2d{.out_channels = 8, .kernel = 5, .weights = tiled(2)}},
      {"33 channels, stride 2, even side",
       {33, 8, 10},
       Conv2d{.out_channels = 40, .kernel = 3, .stride = 2, .weights = tiled(2)}},
      {"stride larger than the kernel",
       {8, 11, 11},
       Conv2d{.out_channels = 16, .kernel = 1, .stride = 3, .weights = tiled(4)}},
      {"uneven everything",
       {6, 11, 8},
       Conv2d{.out_channels = 12,
              .kernel = {3, 2},
              .stride = {2, 3},
              .padding = {2, 0},
              .bias = true,
              .weights = tiled(3),
              .scale = true,
              .activation = ActivationKind::kSilu}},
      {"padding larger than the map",
       {3, 2, 2},
       Conv2d{.out_channels = 4, .kernel = 2, .padding = 3, .weights = tiled(2)}},
      {"several bands", {70, 40, 33}, Conv2d{.out_channels = 8, .kernel = 3, .weights = tiled(4)}},
      {"several bands, stride 2",
       {70, 41, 33},
       Conv2d{.out_channels = 8, .kernel = 3, .stride = 2, .weights = tiled(4)}},
      {"interleaved maps", {7, 5, 5}, Conv2d{.out_channels = 16, .kernel = 3, .weights = beside}},
  };
  return all;
}

}  // namespace

TEST_CASE("sums of signs are right for every number of rows, inputs and taps, in every set") {
  for (const exact::Isa* isa : exact::usable_isas()) {
    for (const std::int64_t rows : {1, 15, 16, 17, 40, 128, 129, 300}) {
      for (const std::int64_t run : {1, 2, 3, 5, 14, 30, 61}) {
        for (const std::int64_t taps : {1, 3}) {
          CAPTURE(isa->name, rows, run, taps);
          const auto signs = test::random_values(rows * run * taps, 5, -1, 1);
          const auto x = test::random_values(run * taps, 6, -2, 2);
          const auto at = [&](std::int64_t r, std::int64_t tap, std::int64_t k) {
            return static_cast<std::size_t>((r * taps + tap) * run + k);
          };
          const std::int64_t place = exact::groups_of(*isa, run) * isa->table;
          std::vector<std::int64_t> offsets;
          for (std::int64_t tap = 0; tap < taps; ++tap) offsets.push_back(tap * place);
          const exact::SignSums weights =
              exact::prepare(*isa, rows, run, offsets,
                             [&](auto r, auto tap, auto k) { return signs[at(r, tap, k)] > 0; });
          std::vector<float> tables(static_cast<std::size_t>(taps * place), kPoison);
          for (std::int64_t tap = 0; tap < taps; ++tap) {
            weights.build(x.data() + tap * run, 1, run, tables.data() + tap * place);
          }
          std::vector<float> sums(static_cast<std::size_t>(weights.padded_rows()), kPoison);
          weights.add(tables.data(), sums.data());
          for (std::int64_t r = 0; r < rows; ++r) {
            double expected = 0, size = 0;
            for (std::int64_t tap = 0; tap < taps; ++tap) {
              for (std::int64_t k = 0; k < run; ++k) {
                const double v = x[static_cast<std::size_t>(tap * run + k)];
                expected += signs[at(r, tap, k)] > 0 ? v : -v;
                size += std::abs(v);
              }
            }
            REQUIRE(std::abs(sums[static_cast<std::size_t>(r)] - expected) <= 1e-6 * size);
          }
        }
      }
    }
  }
}

TEST_CASE("layers agree with the evaluator in double in every set") {
  for (const Case& c : cases()) {
    GraphBuilder b("case");
    const Model packed = test::random_packed(b.finish(b.add(c.op, {b.input(c.input)})), 3);
    const auto input = test::random_values(element_count(c.input), 4, -2, 2);
    const std::vector<double> expected = test::naive_eval(packed, input);
    const Node& node = packed.graph.nodes.back();
    for (const exact::Isa* isa : exact::usable_isas()) {
      CAPTURE(c.what, isa->name);
      const cpu::Kernel kernel = exact::make_kernel(packed.graph, packed.tensors, node, isa);
      std::vector<float> output(expected.size(), kPoison);
      std::vector<float> scratch(static_cast<std::size_t>(kernel.scratch_values), kPoison);
      const float* inputs[] = {input.data()};
      kernel.run({.inputs = inputs, .output = output.data(), .scratch = scratch.data()});
      CHECK(test::relative_error(output, expected) < 1e-5);
    }
  }
}

TEST_CASE("tables that would take too much memory are not made") {
  GraphBuilder b("wide");
  Value x = b.input({1, 1, 1 << 20});
  x = x.conv(2, {.kernel = {64, 1}, .padding = {63, 0}, .weights = tiled(2)});
  const Model packed = test::random_packed(b.finish(x), 1);
  const auto scratch = [&](const exact::Isa* isa) {
    return exact::make_kernel(packed.graph, packed.tensors, packed.graph.nodes.back(), isa)
        .scratch_values;
  };
  for (const exact::Isa* isa : exact::usable_isas()) CHECK(scratch(isa) == scratch(nullptr));
}

TEST_CASE("a whole network gives the reference's answers, and the same for any number of threads") {
  const Model packed = pack_model(test::random_trained(test::odd_network(), 8));
  const auto network = Network::from(packed);
  constexpr std::int64_t kBatch = 5;
  const auto input =
      test::random_values(kBatch * element_count(packed.graph.input_shape()), 9, 0, 255);
  const auto answers = [&](Backend backend, int threads) {
    const std::int64_t values = kBatch * element_count(packed.graph.output_shape());
    std::vector<float> output(static_cast<std::size_t>(values), kPoison);
    Session(network, {.backend = backend, .threads = threads}).run(input, kBatch, output);
    return output;
  };
  const std::vector<float> reference = answers(Backend::kReference, 1);
  const std::vector<float> exact = answers(Backend::kExact, 1);
  CHECK(test::relative_error(exact, std::vector<double>(reference.begin(), reference.end())) <
        1e-5);
  CHECK(answers(Backend::kExact, 3) == exact);
}
