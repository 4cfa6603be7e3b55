// The kernel for many pixels on Hopper devices, in the emulator.
#include <set>

#include "cuda/support/layer_check.h"
#include "runtime/cuda/kernels/wgmma_plan.h"
#include "support/catch.h"
#include "support/cuda_emulator/stream.h"
#include "tbn/ops.h"

using namespace tbn;
using namespace tbn::cuda;
using namespace tbn::cuda::test;

namespace {

constexpr int kMultiprocessors = 4;  // of the emulated device

std::string tile_name(const LayerShape& shape) {
  const WgmmaPlan plan = wgmma_plan(shape, kMultiprocessors);
  const WgmmaTile& tile = kWgmmaTiles[plan.tile];
  return std::to_string(tile.rows) + " rows, " + std::to_string(tile.pixels) + " pixels, " +
         std::to_string(plan.splits) + " splits of " + std::to_string(plan.row_tiles) + " x " +
         std::to_string(plan.pixel_tiles);
}

void check_wgmma(const LayerShape& shape, Precision precision = Precision::kBf16) {
  CAPTURE(tile_name(shape), to_string(precision));
  REQUIRE(computes("wgmma", shape, precision));
  CHECK(layer_error("wgmma", shape, precision) < allowed_error(precision));
}

LayerShape with(LayerShape shape, ActivationKind activation, bool residual) {
  shape.activation = static_cast<int>(activation);
  shape.residual = residual;
  return shape;
}

}  // namespace

TEST_CASE("wgmma computes linear layers of few and many pixels, inputs and rows") {
  for (const int pixels : {1, 64, 130, 300}) {
    for (const int inputs : {64, 72, 200, 512}) {
      CAPTURE(pixels, inputs);
      check_wgmma(linear_shape(pixels, inputs, 40, 2));
    }
  }
  for (const int rows : {16, 64, 128, 200}) {
    CAPTURE(rows);
    check_wgmma(linear_shape(130, 200, rows, 4), Precision::kFp16);
  }
}

TEST_CASE("wgmma makes any number of copies, apart or next to each other") {
  for (const int copies : {1, 2, 4, 8}) {
    CAPTURE(copies);
    check_wgmma(linear_shape(70, 136, 72, copies));
    check_wgmma(interleaved(linear_shape(70, 136, 72, copies)));
  }
  check_wgmma(linear_shape(70, 136, 71, 3));  // no run of outputs begins at 16 bytes
  check_wgmma(interleaved(linear_shape(70, 136, 71, 3)));
}

TEST_CASE("wgmma adds residuals and applies activations") {
  check_wgmma(with(linear_shape(70, 136, 72, 2), ActivationKind::kRelu, true));
  check_wgmma(with(interleaved(linear_shape(70, 136, 72, 2)), ActivationKind::kGelu, true));
  check_wgmma(with(linear_shape(70, 136, 71, 3), ActivationKind::kSilu, true), Precision::kFp16);
}
