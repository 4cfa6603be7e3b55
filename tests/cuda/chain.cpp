// Layers in one launch, against the same layers one after another.
#include "runtime/cuda/kernels/chain.h"

#include <vector>

#include "cuda/support/layer_check.h"
#include "cuda/support/to_host.h"
#include "support/catch.h"
#include "support/naive_eval.h"
#include "support/random_model.h"
#include "tbn/ops.h"

using namespace tbn;
using namespace tbn::cuda;
using namespace tbn::cuda::test;

namespace {

Buffer random_floats(std::int64_t count, std::uint64_t seed) {
  return Buffer::copy_of(std::span<const float>(tbn::test::random_values(count, seed)), "a test");
}

// A chain's weights and values, in fp32.
struct Links {
  explicit Links(const std::vector<LayerShape>& shapes)
      : x(random_floats(values_in(shapes[0]), 1)) {
    for (const LayerShape& shape : shapes) {
      const auto seed = 10 * made.size() + 2;
      bits.push_back(random_floats(tile_words(shape.rows, shape.order.blocks()), seed));
      gain.push_back(random_floats(shape.outputs, seed + 1));
      bias.push_back(random_floats(shape.outputs, seed + 2));
      y.push_back(Buffer::on_device(4 * shape.pixels() * shape.outputs, "a test"));
      made.push_back({shape,
                      {.x = made.empty() ? x.get() : y[y.size() - 2].get(),
                       .y = y.back().get(),
                       .bits = bits.back().get<std::uint32_t>(),
                       .gain = gain.back().get<float>(),
                       .bias = bias.back().get<float>()}});
    }
    check(cudaMemset(counters.get(), 0, 8), "a test");
  }
  static std::int64_t values_in(const LayerShape& shape) { return shape.pixels() * shape.channels; }

  Buffer x, counters = Buffer::on_device(8, "a test");
  std::vector<Buffer> bits, gain, bias, y;
  std::vector<ChainLink> made;
};

LayerShape link(int pixels, int inputs, int rows, int copies, ActivationKind activation) {
  LayerShape shape = linear_shape(pixels, inputs, rows, copies);
  shape.activation = static_cast<int>(activation);
  return shape;
}

}  // namespace

TEST_CASE("a chain of layers gives what the layers give one after another") {
  Context context(0);
  const LayerKernel& gemv = layer_kernels()[2];
  REQUIRE(std::string(gemv.name) == "gemv");
  for (int pixels = 1; pixels <= 4; ++pixels) {
    const std::vector<LayerShape> shapes = {link(pixels, 70, 50, 4, ActivationKind::kRelu),
                                            link(pixels, 200, 34, 1, ActivationKind::kGelu),
                                            link(pixels, 34, 100, 2, ActivationKind::kNone),
                                            link(pixels, 200, 10, 1, ActivationKind::kNone)};
    REQUIRE(chain_computes(shapes, Precision::kFp32, context));
    const Links links(shapes);
    for (int round = 0; round < 2; ++round) {  // the counters are left as they were found
      for (const Buffer& y : links.y) {
        check(cudaMemset(y.get(), 0xff, static_cast<std::size_t>(y.bytes())), "a test");
      }
      run_chain({.links = links.made,
                 .precision = Precision::kFp32,
                 .counters = links.counters.get<unsigned>()},
                context);
      CHECK(to_host<unsigned>(links.counters) == std::vector<unsigned>{0, 0});
    }
    std::vector<std::vector<float>> together;
    for (const Buffer& y : links.y) together.push_back(to_host<float>(y));
    for (const ChainLink& link : links.made) {
      gemv.run({.shape = link.shape, .data = link.data, .precision = Precision::kFp32}, context);
    }
    // The warps of a block share the inputs differently, so that sums differ by their order.
    for (std::size_t i = 0; i < links.y.size(); ++i) {
      const std::vector<float> apart = to_host<float>(links.y[i]);
      const std::vector<double> wanted(apart.begin(), apart.end());
      CHECK(tbn::test::relative_error(together[i], wanted) < 1e-5);
    }
  }
}

TEST_CASE("one layer, or layers of other kinds, are no chain") {
  Context context(0);
  const LayerShape one = linear_shape(1, 64, 16, 4);
  CHECK_FALSE(chain_computes(std::vector{one}, Precision::kFp32, context));
  CHECK_FALSE(chain_computes(std::vector{one, in_form(one, WeightForm::kFloat)}, Precision::kFp32,
                             context));
  CHECK_FALSE(
      chain_computes(std::vector{one, linear_shape(2, 64, 16, 4)}, Precision::kFp32, context));
}
