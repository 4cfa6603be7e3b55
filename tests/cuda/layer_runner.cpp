// Layers of packed networks on the device: weights in every form, and the choice of a kernel.
#include "runtime/cuda/choice/layer_runner.h"

#include <cmath>
#include <limits>
#include <vector>

#include "cuda/support/to_host.h"
#include "runtime/cuda/device/memory.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/naive_eval.h"
#include "support/random_model.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::cuda;
using tbn::cuda::test::to_host;

namespace {

Graph one_layer(const Shape& input, const Op& op) {
  GraphBuilder b("layer");
  return b.finish(b.add(op, {b.input(input)}));
}

// [C, H, W] to [H, W, C] of every example, and vectors as they are; back where `last` is false.
std::vector<float> turned(const std::vector<float>& values, const Shape& shape, bool to_last) {
  if (shape.size() != 3) return values;
  std::vector<float> result(values.size());
  const std::int64_t channels = shape[0], pixels = shape[1] * shape[2];
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(values.size()); ++i) {
    const std::int64_t image = i / (channels * pixels), c = i / pixels % channels, p = i % pixels;
    const std::int64_t at = (image * pixels + p) * channels + c;
    const auto from = static_cast<std::size_t>(to_last ? i : at);
    result[static_cast<std::size_t>(to_last ? at : i)] = values[from];
  }
  return result;
}

std::vector<float> run_layer(const Model& packed, const std::vector<float>& input,
                             std::int64_t batch, const LayerOptions& options) {
  Context context(0);
  const Node& node = packed.graph.node(packed.graph.output);
  LayerRunner runner(packed.graph, packed.tensors, node, options, context);
  runner.prepare(batch);
  const Buffer x = Buffer::copy_of(
      std::span<const float>(turned(input, packed.graph.input_shape(), true)), "a test");
  const std::int64_t outputs = batch * element_count(node.shape);
  const Buffer y = Buffer::on_device(outputs * 4, "a test");
  const Buffer workspace = Buffer::on_device(runner.workspace_bytes(batch), "a test");
  cudaMemset(workspace.get(), 0, static_cast<std::size_t>(workspace.bytes()));
  const void* inputs[] = {x.get()};
  runner.run({.inputs = inputs, .output = y.get(), .batch = batch, .workspace = workspace.get()});
  return turned(to_host<float>(y), node.shape, false);
}

double runner_error(const Model& packed, std::int64_t batch, const LayerOptions& options) {
  const std::vector<float> input =
      tbn::test::random_values(batch * element_count(packed.graph.input_shape()), 7);
  return tbn::test::relative_error(run_layer(packed, input, batch, options),
                                   tbn::test::naive_eval(packed, input));
}

void check_runner(const Shape& input, const Op& op) {
  const Model packed = tbn::test::random_packed(one_layer(input, op), 3);
  for (const char* kernel : {"plain", "expand"}) {
    CAPTURE(kernel);
    const LayerOptions options = {.precision = Precision::kFp32, .kernel = kernel};
    CHECK(runner_error(packed, 1, options) < 1e-5);
  }
}

WeightEncoding scaled(std::int64_t p, AlphaScope scope, TileOrder order = TileOrder::kRepeat) {
  return TiledWeights{.p = p, .alpha = scope, .order = order};
}

}  // namespace

TEST_CASE("a runner's weights are the file's, in every form and order") {
  check_runner({20}, Linear{.out_features = 12, .bias = true});
  check_runner({5, 20}, Linear{.out_features = 12, .weights = tiled(4)});
  check_runner({20}, Linear{.out_features = 12, .weights = scaled(3, AlphaScope::kOutput)});
  check_runner({20}, Linear{.out_features = 12,
                            .weights = scaled(3, AlphaScope::kTile, TileOrder::kInterleave)});
  check_runner({20}, Linear{.out_features = 9, .weights = scaled(4, AlphaScope::kTile)});
  check_runner({20}, Linear{.out_features = 9, .weights = scaled(4, AlphaScope::kLayer)});
  check_runner({20}, Linear{.out_features = 9, .weights = scaled(4, AlphaScope::kOutput)});
  check_runner({40, 5, 6}, Conv2d{.out_channels = 8, .kernel = 3, .weights = tiled(2)});
  check_runner({3, 5, 6}, Conv2d{.out_channels = 8,
                                 .kernel = {3, 2},
                                 .stride = {2, 1},
                                 .padding = {1, 0},
                                 .weights = tiled(4)});
  check_runner({4, 5, 6}, Conv2d{.out_channels = 9, .kernel = 3, .weights = tiled(4)});
  check_runner({4, 5, 6}, Conv2d{.out_channels = 8, .kernel = 3, .groups = 4, .weights = tiled(4)});
  check_runner({4, 5, 6}, Conv2d{.out_channels = 8, .kernel = 3, .groups = 2, .bias = true});
}

TEST_CASE("a kernel that is chosen by time gives what the plain one gives") {
  const Model packed = tbn::test::random_packed(
      one_layer({100}, Linear{.out_features = 64, .weights = tiled(4)}), 5);
  CHECK(runner_error(packed, 1, {.precision = Precision::kFp32, .tune = true}) < 1e-5);
}

TEST_CASE("kernels are right where all outputs are zero") {
  Model packed = tbn::test::random_packed(
      one_layer({100}, Linear{.out_features = 64, .weights = tiled(4)}), 5);
  for (float& scalar : packed.tensors.at(packed.graph.node(1).name + ".alpha").values<float>()) {
    scalar = 0;
  }
  Context context(0);
  LayerRunner runner(packed.graph, packed.tensors, packed.graph.node(1),
                     {.precision = Precision::kBf16, .tune = true}, context);
  runner.prepare(2);
  CHECK(runner.choice(2).rejected.empty());
}

TEST_CASE("an infinite input makes infinite outputs, whichever kernel runs") {
  const Model packed =
      tbn::test::random_packed(one_layer({20}, Linear{.out_features = 12, .weights = tiled(4)}), 5);
  std::vector<float> input = tbn::test::random_values(20, 7);
  input[3] = std::numeric_limits<float>::infinity();
  const auto run = [&](const char* kernel) {
    return run_layer(packed, input, 1, {.precision = Precision::kFp32, .kernel = kernel});
  };
  const std::vector<float> expected = run("plain");
  for (const float value : expected) CHECK(std::isinf(value));
  for (const char* kernel : {"expand", "gemv", "mma"}) {
    CAPTURE(kernel);
    CHECK(run(kernel) == expected);
  }
}

TEST_CASE("a kernel of an unknown name is an error that lists the others") {
  const Model packed = tbn::test::random_packed(one_layer({4}, Linear{.out_features = 4}), 5);
  Context context(0);
  const std::string message = tbn::test::message_of<ConfigError>([&] {
    LayerRunner(packed.graph, packed.tensors, packed.graph.node(1), {.kernel = "quick"}, context);
  });
  CHECK(tbn::test::says(message, {"'quick'", "plain", "expand"}));
}
