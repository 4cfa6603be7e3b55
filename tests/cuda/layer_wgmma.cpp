// The kernel for many pixels on Hopper devices, in the emulator.
#include <set>
#include <string>
#include <utility>

#include "cuda/support/layer_check.h"
#include "runtime/cuda/kernels/wgmma_plan.h"
#include "support/catch.h"
#include "tbn/ops.h"

using namespace tbn;
using namespace tbn::cuda;
using namespace tbn::cuda::test;

namespace {

constexpr int kMultiprocessors = 4;  // of the emulated device

std::string tile_name(const LayerShape& shape, bool padded = false) {
  const WgmmaPlan plan = wgmma_plan(shape, kMultiprocessors, padded);
  const WgmmaTile& tile = kWgmmaTiles[plan.tile];
  return std::to_string(tile.rows) + " rows, " + std::to_string(tile.pixels) + " pixels, " +
         (plan.padded ? "padded, " : "") + std::to_string(plan.splits) + " splits of " +
         std::to_string(plan.row_tiles) + " x " + std::to_string(plan.pixel_tiles);
}

void check_wgmma(const LayerShape& shape, Precision precision = Precision::kBf16) {
  for (const bool padded : {false, true}) {
    if (padded && !wgmma_takes_padded(shape)) continue;
    const char* const kernel = padded ? "wgmma_padded" : "wgmma";
    CAPTURE(tile_name(shape, padded), to_string(precision));
    REQUIRE(computes(kernel, shape, precision));
    CHECK(layer_error(kernel, shape, precision) < allowed_error(precision));
  }
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
  check_wgmma(with(conv_shape(1, 64, 9, 7, 32, 2, 3, 1), ActivationKind::kRelu, true));
}

TEST_CASE("wgmma computes convolutions of taps, strides, channels and images") {
  for (const int channels : {32, 64, 96}) {
    for (const int stride : {1, 2}) {
      CAPTURE(channels, stride);
      check_wgmma(conv_shape(3, channels, 9, 7, 24, 2, 3, stride));
      check_wgmma(conv_shape(2, channels, 10, 8, 16, 4, 1, stride), Precision::kFp16);
    }
  }
  check_wgmma(conv_shape(2, 64, 6, 9, 40, 4, 5, 1));
  check_wgmma(conv_shape(1, 72, 11, 8, 40, 1, 5, 2), Precision::kFp16);
  check_wgmma(interleaved(conv_shape(2, 32, 13, 12, 72, 2, 3, 1)));
  LayerShape wide = conv_shape(2, 64, 6, 9, 16, 2, 3, 1);  // 1 x 3, only padded beside
  wide.kernel_h = 1;
  wide.padding_h = 0;
  wide.stride_h = 2;
  wide.out_h = 3;
  wide.order = InputOrder::of(3, 64);
  check_wgmma(wide);
}

TEST_CASE("wgmma computes convolutions whose taps share a copy of padded pixels") {
  for (const LayerShape& shape :
       {conv_shape(1, 32, 20, 56, 16, 4, 3, 1), conv_shape(1, 40, 22, 20, 40, 2, 5, 1),
        conv_shape(1, 320, 30, 30, 16, 1, 3, 1), conv_shape(10, 32, 30, 32, 16, 1, 3, 1),
        conv_shape(7, 96, 10, 11, 24, 2, 3, 1), interleaved(conv_shape(2, 72, 17, 20, 60, 2, 3, 1)),
        with(conv_shape(3, 64, 14, 15, 24, 2, 3, 1), ActivationKind::kRelu, true)}) {
    CAPTURE(shape.channels, shape.kernel_h);
    REQUIRE(wgmma_takes_padded(shape));
    check_wgmma(shape, shape.channels % 64 == 0 ? Precision::kBf16 : Precision::kFp16);
  }
}

TEST_CASE("every tile of wgmma has a layer for which it is chosen, and computes it") {
  std::set<std::pair<int, bool>> tiles;
  for (const LayerShape& shape :
       {linear_shape(500, 200, 256, 1), linear_shape(1030, 72, 128, 1),
        linear_shape(500, 72, 120, 1), linear_shape(200, 72, 16, 1), linear_shape(1000, 72, 16, 2),
        linear_shape(400, 72, 64, 1), conv_shape(2, 32, 16, 17, 50, 1, 3, 1),
        conv_shape(1, 32, 30, 30, 100, 1, 3, 1)}) {
    for (const bool padded : {false, true}) {
      if (padded && !wgmma_takes_padded(shape)) continue;
      tiles.emplace(wgmma_plan(shape, kMultiprocessors, padded).tile, padded);
    }
    check_wgmma(shape);
  }
  std::size_t all = std::size(kWgmmaTiles);
  for (const WgmmaTile& tile : kWgmmaTiles) all += tile.padded ? 1 : 0;
  CHECK(tiles.size() == all);
}

TEST_CASE("blocks of wgmma that share a tile add its sums in one order") {
  for (const LayerShape& shape :
       {linear_shape(60, 1104, 72, 2), linear_shape(100, 2000, 16, 4),
        conv_shape(1, 96, 6, 7, 40, 2, 3, 1), conv_shape(1, 640, 14, 14, 16, 2, 3, 1)}) {
    CAPTURE(tile_name(shape));
    for (const bool padded : {false, true}) {
      if (wgmma_plan(shape, kMultiprocessors, padded).splits == 1) continue;
      if (padded && !wgmma_takes_padded(shape)) continue;
      const char* const kernel = padded ? "wgmma_padded" : "wgmma";
      const double error = layer_error(kernel, shape, Precision::kFp16);
      CHECK(error < allowed_error(Precision::kFp16));
      CHECK(layer_error(kernel, shape, Precision::kFp16) == error);
    }
  }
}

TEST_CASE("a workspace of wgmma is bounded, and splits leave no multiprocessor with two") {
  for (const int pixels : {1, 512, 4096, 100000}) {
    for (const int inputs : {64, 4096, 65536}) {
      for (const int rows : {16, 512, 1024, 8192}) {
        const WgmmaPlan plan = wgmma_plan(linear_shape(pixels, inputs, rows, 4), 132);
        CAPTURE(pixels, inputs, rows, plan.tile, plan.splits);
        CHECK(wgmma_partial_bytes(plan) <= std::int64_t{8} << 20);
        CHECK((plan.splits == 1 || plan.items() <= 132));
        CHECK((plan.splits == 1 || 2 * plan.items() * 4 <= kCounterBytes));
      }
    }
  }
}

TEST_CASE("wgmma leaves to others what it cannot compute") {
  const LayerShape shape = linear_shape(70, 136, 72, 2);
  CHECK(computes("wgmma", shape, Precision::kFp16));
  CHECK_FALSE(computes("wgmma", shape, Precision::kFp32));
  CHECK_FALSE(computes("wgmma", in_form(shape, WeightForm::kFloat), Precision::kFp16));
  CHECK_FALSE(computes("wgmma", linear_shape(70, 100, 72, 2), Precision::kFp16));
  CHECK_FALSE(computes("wgmma", conv_shape(1, 3, 9, 7, 32, 2, 3, 1), Precision::kFp16));
  CHECK_FALSE(computes("wgmma", conv_shape(1, 24, 9, 7, 32, 2, 3, 1), Precision::kFp16));
  CHECK(computes("wgmma_padded", conv_shape(1, 32, 9, 7, 32, 2, 3, 1), Precision::kFp16));
  CHECK_FALSE(computes("wgmma_padded", conv_shape(1, 32, 9, 7, 32, 2, 3, 2), Precision::kFp16));
  CHECK_FALSE(computes("wgmma_padded", conv_shape(1, 32, 9, 90, 32, 2, 3, 1), Precision::kFp16));
  CHECK_FALSE(computes("wgmma_padded", shape, Precision::kFp16));
}
