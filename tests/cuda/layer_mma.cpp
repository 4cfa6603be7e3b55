// The kernel "mma" against double.
#include <initializer_list>

#include "cuda/support/layer_check.h"
#include "runtime/cuda/kernels/mma_plan.h"
#include "support/catch.h"
#include "tbn/ops.h"

using namespace tbn;
using namespace tbn::cuda;
using namespace tbn::cuda::test;

namespace {

MmaPlan plan_of(const LayerShape& shape) {
  return mma_plan(shape, Precision::kBf16, Context(0).device());
}

void check_mma(const LayerShape& shape, std::initializer_list<Precision> precisions = {
                                            Precision::kFp32, Precision::kFp16, Precision::kBf16}) {
  CAPTURE(shape.pixels(), shape.channels, shape.rows, shape.copies(), shape.kernel_h,
          plan_of(shape).tile, plan_of(shape).splits);
  for (const Precision precision : precisions) {
    CAPTURE(to_string(precision));
    REQUIRE(computes("mma", shape, precision));
    CHECK(layer_error("mma", shape, precision) < allowed_error(precision));
  }
}

LayerShape with_residual(LayerShape shape, ActivationKind activation) {
  shape.residual = true;
  shape.activation = static_cast<int>(activation);
  return shape;
}

LayerShape unevenly_padded(LayerShape shape, int padding_h, int padding_w) {
  shape.padding_h = padding_h;
  shape.padding_w = padding_w;
  shape.out_h = (shape.in_h + 2 * padding_h - shape.kernel_h) / shape.stride_h + 1;
  shape.out_w = (shape.in_w + 2 * padding_w - shape.kernel_w) / shape.stride_w + 1;
  return shape;
}

// Shapes that are best cut into each of the tiles on the emulated device, where that is not what
// the other tests meet.
LayerShape shape_for_tile(int tile) {
  const LayerShape shapes[] = {
      linear_shape(2, 520, 40, 2),   linear_shape(16, 1032, 300, 1), linear_shape(96, 520, 24, 2),
      linear_shape(64, 520, 264, 1), linear_shape(256, 264, 500, 1), linear_shape(256, 136, 100, 1),
      linear_shape(520, 72, 24, 2),  linear_shape(520, 72, 16, 2),
  };
  return shapes[tile];
}

}  // namespace

TEST_CASE("mma computes any number of pixels, of inputs that are no multiple of 8, 16 or 256") {
  for (const int pixels : {1, 2, 7, 8, 9, 33}) {
    check_mma(linear_shape(pixels, 300, 37, 2));
    check_mma(linear_shape(pixels, 520, 48, 4));
  }
  check_mma(linear_shape(128, 101, 35, 2));
  check_mma(linear_shape(150, 264, 72, 1));
  check_mma(linear_shape(150, 7, 1, 3));
}

TEST_CASE("mma computes copies that lie next to each other or apart") {
  for (const int copies : {1, 2, 4, 8}) {
    check_mma(linear_shape(9, 264, 24, copies));
    check_mma(interleaved(linear_shape(9, 264, 24, copies)));
    check_mma(interleaved(linear_shape(3, 40, 19, copies)));
  }
  check_mma(interleaved(linear_shape(4, 100, 30, 3)));
}

TEST_CASE("mma adds residuals and knows every activation") {
  for (int kind = 0; kind <= static_cast<int>(ActivationKind::kSigmoid); ++kind) {
    const auto activation = static_cast<ActivationKind>(kind);
    check_mma(with_residual(linear_shape(5, 72, 24, 2), activation));
    check_mma(interleaved(with_residual(linear_shape(5, 72, 21, 2), activation)));
  }
}

TEST_CASE("mma computes convolutions of pieces of 8 channels") {
  check_mma(conv_shape(1, 64, 5, 6, 20, 2, 1, 1));
  check_mma(conv_shape(3, 32, 6, 5, 16, 2, 3, 1));
  check_mma(conv_shape(1, 48, 7, 6, 33, 1, 3, 2));
  check_mma(conv_shape(1, 96, 4, 7, 24, 4, 3, 1));
  check_mma(conv_shape(3, 64, 5, 5, 16, 1, 5, 2));
  check_mma(conv_shape(2, 8, 9, 9, 32, 2, 3, 1));
  check_mma(conv_shape(2, 16, 9, 9, 40, 2, 1, 2));
  check_mma(unevenly_padded(conv_shape(1, 32, 6, 5, 16, 2, 3, 1), 0, 3));
  check_mma(interleaved(unevenly_padded(conv_shape(1, 64, 5, 4, 8, 2, 1, 1), 1, 0)));
}

TEST_CASE("mma computes convolutions whose values it gathers one by one") {
  check_mma(conv_shape(3, 3, 9, 8, 16, 2, 3, 1));
  check_mma(conv_shape(1, 3, 16, 15, 24, 1, 7, 2));
  check_mma(conv_shape(1, 20, 7, 7, 17, 2, 3, 1));
  check_mma(conv_shape(1, 33, 5, 5, 40, 1, 3, 1));
  check_mma(unevenly_padded(conv_shape(2, 12, 6, 5, 8, 4, 5, 1), 1, 4));
}

TEST_CASE("every tile of mma is right") {
  for (int tile = 0; tile < kMmaTileCount; ++tile) {
    const LayerShape shape = shape_for_tile(tile);
    CHECK(plan_of(shape).tile == tile);
    check_mma(shape, {Precision::kFp16, Precision::kBf16});
  }
}

TEST_CASE("mma splits the inputs of few tiles over several blocks, and adds their parts in order") {
  const LayerShape shape = linear_shape(7, 30000, 16, 2);
  CHECK(plan_of(shape).splits > 1);
  check_mma(shape);
  check_mma(with_residual(interleaved(linear_shape(30, 6000, 18, 2)), ActivationKind::kRelu));
}

TEST_CASE("mma gives the same bits whenever it is run") {
  const LayerShape shape = linear_shape(7, 9000, 16, 2);
  const double first = layer_error("mma", shape, Precision::kBf16);
  CHECK(layer_error("mma", shape, Precision::kBf16) == first);
}

TEST_CASE("mma leaves layers of other forms, and of groups to others") {
  const LayerShape shape = linear_shape(3, 100, 7, 4);
  CHECK_FALSE(computes("mma", in_form(shape, WeightForm::kFlat), Precision::kBf16));
  LayerShape grouped = conv_shape(2, 8, 7, 5, 8, 1, 3, 1);
  grouped.groups = 4;
  CHECK_FALSE(computes("mma", grouped, Precision::kBf16));
}

TEST_CASE("mma takes smaller tiles where blocks may have less shared memory") {
  const LayerShape shape = linear_shape(2, 520, 40, 2);
  DeviceInfo device = Context(0).device();
  for (const std::int64_t kibibytes : {227, 99, 64, 48}) {
    device.shared_bytes = kibibytes << 10;
    const MmaPlan plan = mma_plan(shape, Precision::kBf16, device);
    if (plan.tile >= 0) CHECK(kMmaTiles[plan.tile].shared_bytes() <= device.shared_bytes);
    CHECK((plan.tile >= 0 || kibibytes < 64));
  }
}
