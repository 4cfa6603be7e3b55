// The fast backends with every instruction set that this processor has, against the evaluator in
// double: layers, other ops, and whole networks.
#include <cmath>
#include <limits>

#include "graph/node_rows.h"
#include "graph/passes/passes.h"
#include "runtime/cpu/fast/kernel.h"
#include "runtime/cpu/program.h"
#include "support/catch.h"
#include "support/naive_eval.h"
#include "support/op_cases.h"
#include "support/random_model.h"
#include "support/run_program.h"
#include "tbn/runtime.h"

using namespace tbn;

namespace {

constexpr float kPoison = std::numeric_limits<float>::quiet_NaN();

const std::vector<test::OpCase>& cases() {
  static const WeightEncoding beside =
      TiledWeights{.p = 4, .alpha = AlphaScope::kOutput, .order = TileOrder::kInterleave};
  static const std::vector<test::OpCase> all = {
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
      {"many vectors", {70, 20}, Linear{.out_features = 264, .weights = tiled(4)}},
      {"13 pixels per row", {19, 13, 13}, Conv2d{.out_channels = 96, .weights = binary()}},
      {"float vector", {37}, Linear{.out_features = 21}},
      {"float vectors, gelu",
       {29, 37},
       Linear{.out_features = 70, .activation = ActivationKind::kGelu}},
      {"float maps", {3, 17, 15}, Conv2d{.out_channels = 33, .kernel = 5, .stride = 2}},
      {"float maps without padding",
       {16, 9, 9},
       Conv2d{.out_channels = 7, .kernel = 3, .padding = 0, .bias = true}},
      {"flat tile", {5, 8, 8}, Conv2d{.out_channels = 10, .kernel = 3, .weights = tiled(9)}},
      {"depthwise in blocks and bands",
       {70, 40, 39},
       Conv2d{.out_channels = 70, .kernel = 7, .groups = 70}},
      {"depthwise", {21, 9, 8}, Conv2d{.out_channels = 21, .kernel = 5, .groups = 21}},
      {"depthwise, tiled, stride 2",
       {80, 9, 11},
       Conv2d{.out_channels = 80, .kernel = 4, .stride = 2, .groups = 80, .weights = tiled(4)}},
      {"tables of bytes, two blocks",
       {23, 9, 11},
       Conv2d{.out_channels = 64, .kernel = 3, .weights = binary()}},
      {"tables of bytes, uneven strides and blocks",
       {17, 9, 10},
       Conv2d{.out_channels = 97,
              .kernel = {3, 2},
              .stride = {2, 1},
              .padding = {2, 0},
              .weights = binary()}},
      {"tables of bytes, several groups and runs",
       {10, 401},
       Linear{.out_features = 1250, .weights = tiled(2)}},
      {"tables of bytes, one table", {6, 5}, Linear{.out_features = 193, .weights = binary()}},
      {"tables of bytes, bands",
       {70, 40, 33},
       Conv2d{.out_channels = 128, .kernel = 3, .weights = tiled(2)}},
      {"groups", {12, 5, 6}, Conv2d{.out_channels = 8, .kernel = 3, .groups = 4}},
      {"max pool", {19, 9, 8}, MaxPool2d{.kernel = 3, .stride = 2, .padding = 1}},
      {"mean pool", {19, 9, 8}, AvgPool2d{.kernel = 3, .stride = 2}},
      {"mean of maps", {37, 5, 3}, GlobalAvgPool{}},
      {"affine maps", {7, 4, 5}, Affine{.activation = ActivationKind::kRelu}},
      {"affine vectors", {7, 45}, Affine{.activation = ActivationKind::kTanh}},
      {"activation", {3, 4, 41}, Activation{ActivationKind::kSigmoid}},
      {"padding", {19, 4, 5}, Pad2d{.top = 1, .bottom = 2, .left = 3, .right = 0}},
      {"transposition", {37, 50}, Transpose{}},
      {"layer norm", {5, 83}, LayerNorm{}},
      {"attention", {67, 3 * 40}, Attention{.heads = 2}},
      {"attention in shifted windows",
       {36, 3 * 14},
       Attention{.heads = 2, .grid = 6, .window = 3, .shift = 1, .relative_bias = true}},
  };
  return all;
}

// What the int8 backend makes of an input: each vector, or a whole image, rounded to 256 steps.
std::vector<float> rounded_to_bytes(std::span<const float> x, std::int64_t run) {
  std::vector<float> rounded(x.begin(), x.end());
  for (std::size_t i = 0; i < x.size(); i += static_cast<std::size_t>(run)) {
    const auto part = std::span(rounded).subspan(i, static_cast<std::size_t>(run));
    const float low = std::min(0.0f, *std::min_element(part.begin(), part.end()));
    const float high = std::max(0.0f, *std::max_element(part.begin(), part.end()));
    const float scale = (high - low) / 255.0f;
    const float zero = std::floor(-low / scale + 0.5f);
    for (float& v : part) {
      const float byte = std::clamp(std::floor(v * (1.0f / scale) + (zero + 0.5f)), 0.0f, 255.0f);
      v = scale * (byte - zero);
    }
  }
  return rounded;
}

// Whether its last node multiplies rows of signs that several outputs, or one, share.
bool is_tiled_layer(const Model& packed) {
  const Node& node = packed.graph.nodes.back();
  if (weights_of(node.op) == nullptr) return false;
  const LayerRows rows = layer_rows(packed.graph, packed.tensors, node);
  return std::holds_alternative<SignRows>(rows.values) && rows.shares_sums();
}

}  // namespace

TEST_CASE("ops agree with the evaluator in double in every instruction set") {
  for (const test::OpCase& c : cases()) {
    const Model packed = test::packed_case(c);
    const auto input = test::random_values(element_count(c.input), 4, -2, 2);
    const std::vector<double> expected = test::naive_eval(packed, input);
    for (const fast::Isa& isa : fast::usable_isas()) {
      CAPTURE(c.what, isa.name);
      const cpu::CpuProgram program(packed.graph, packed.tensors, Backend::kExact, &isa);
      CHECK(test::relative_error(test::run(program, packed.graph, input), expected) < 1e-5);
    }
  }
}

TEST_CASE("tiled layers are exact on inputs of 256 steps in every instruction set") {
  int layers = 0;
  test::KernelCount by_tables("byte tables");
  for (const test::OpCase& c : cases()) {
    const Model packed = test::packed_case(c);
    const Node& node = packed.graph.nodes.back();
    const bool one_pixel =
        element_count(node.shape) == node.shape.front() && node.shape.size() == 1;
    if (!is_tiled_layer(packed) || one_pixel) continue;
    ++layers;
    const auto input = test::random_values(element_count(c.input), 4, -1, 2);
    const std::int64_t run_length =
        std::holds_alternative<Linear>(node.op) ? c.input.back() : element_count(c.input);
    const std::vector<double> expected =
        test::naive_eval(packed, rounded_to_bytes(input, run_length));
    for (const fast::Isa& isa : fast::usable_isas()) {
      CAPTURE(c.what, isa.name);
      const cpu::CpuProgram program(packed.graph, packed.tensors, Backend::kInt8, &isa);
      CHECK(test::relative_error(test::run(program, packed.graph, input, &by_tables), expected) <
            1e-5);
    }
  }
  CHECK(layers > 10);
  // Each case that is named so.
  const bool has_tables = fast::usable_isas().front().byte_tables != nullptr;
  CHECK(by_tables.count >= (has_tables ? 5 : 0));
}

TEST_CASE("inputs that are all 0, or as large as floats are, harm nothing in bytes") {
  GraphBuilder b("case");
  const Value x = b.input({3, 4}).linear(8, {.weights = tiled(2)});
  const Model packed = test::random_packed(b.finish(x), 3);
  for (const fast::Isa& isa : fast::usable_isas()) {
    CAPTURE(isa.name);
    const cpu::CpuProgram program(packed.graph, packed.tensors, Backend::kInt8, &isa);
    const std::vector<float> zeros(12, 0.0f), huge(12, std::numeric_limits<float>::max());
    CHECK(test::relative_error(test::run(program, packed.graph, zeros),
                               test::naive_eval(packed, zeros)) < 1e-6);
    test::run(program, packed.graph, huge);
  }
}

TEST_CASE("tables that would take too much memory are not made") {
  GraphBuilder b("wide");
  Value x = b.input({1, 1, 1 << 20});
  x = x.conv(2, {.kernel = {64, 1}, .padding = {63, 0}, .weights = tiled(2)});
  const Model packed = test::random_packed(b.finish(x), 1);
  for (const fast::Isa& isa : fast::usable_isas()) {
    const cpu::CpuProgram program(packed.graph, packed.tensors, Backend::kExact, &isa);
    CHECK(program.scratch_values() + program.shared_values() < std::int64_t{70} << 20);
  }
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
  const std::vector<double> wanted(reference.begin(), reference.end());
  for (const Backend backend : {Backend::kExact, Backend::kInt8}) {
    CAPTURE(to_string(backend));
    const std::vector<float> one = answers(backend, 1);
    CHECK(test::relative_error(one, wanted) < (backend == Backend::kExact ? 1e-5 : 0.1));
    for (const int threads : {2, 3, 8}) CHECK(answers(backend, threads) == one);
  }
}
