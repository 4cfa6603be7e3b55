// The kernel "stem" against double.
#include "cuda/support/layer_check.h"
#include "support/catch.h"
#include "tbn/ops.h"

using namespace tbn;
using namespace tbn::cuda;
using namespace tbn::cuda::test;

namespace {

void check_stem(const LayerShape& shape) {
  CAPTURE(shape.batch, shape.channels, shape.in_h, shape.in_w, shape.rows, shape.copies(),
          shape.kernel_h, shape.stride_h);
  for (const Precision precision : {Precision::kFp16, Precision::kBf16}) {
    CAPTURE(to_string(precision));
    REQUIRE(computes("stem", shape, precision));
    CHECK(layer_error("stem", shape, precision) < allowed_error(precision));
  }
}

void check_both_forms(const LayerShape& shape) {
  check_stem(shape);
  check_stem(in_form(shape, WeightForm::kFloat));
}

LayerShape with_residual(LayerShape shape, ActivationKind activation) {
  shape.residual = true;
  shape.activation = static_cast<int>(activation);
  return shape;
}

}  // namespace

TEST_CASE("stem computes kernels of 3, 5 and 7 by 1 to 8 channels") {
  for (const int channels : {1, 2, 3, 4, 8}) {
    check_both_forms(conv_shape(1, channels, 9, 11, 16, 2, 3, 1));
    check_both_forms(conv_shape(2, channels, 7, 19, 24, 1, 5, 2));
    check_both_forms(conv_shape(1, channels, 13, 10, 40, 1, 7, 2));
  }
}

TEST_CASE("stem computes patches of which only a part is in the image, and many of them") {
  check_both_forms(conv_shape(3, 3, 1, 1, 16, 2, 3, 1));
  check_both_forms(conv_shape(2, 3, 33, 34, 64, 1, 7, 2));
  check_both_forms(conv_shape(3, 3, 17, 35, 16, 4, 3, 1));
  check_stem(conv_shape(1, 4, 8, 16, 5, 3, 3, 1));
}

TEST_CASE("stem computes kernels that are not square, with uneven padding and strides") {
  LayerShape shape = conv_shape(2, 3, 12, 21, 20, 2, 3, 1);
  shape.kernel_w = 2;
  shape.order = InputOrder::of(6, 3);
  shape.stride_h = 3;
  shape.padding_h = 0;
  shape.padding_w = 2;
  shape.out_h = (12 - 3) / 3 + 1;
  shape.out_w = 21 + 4 - 2 + 1;
  check_both_forms(shape);
}

TEST_CASE("stem takes more rows than a block has") {
  check_both_forms(conv_shape(1, 3, 9, 9, 100, 2, 3, 1));
  check_stem(conv_shape(1, 1, 5, 20, 33, 1, 3, 1));
}

TEST_CASE("stem makes copies next to each other or apart") {
  for (const int copies : {1, 2, 4}) {
    check_stem(conv_shape(1, 3, 6, 7, 24, copies, 3, 1));
    check_stem(interleaved(conv_shape(1, 3, 6, 7, 24, copies, 3, 1)));
    check_stem(interleaved(conv_shape(1, 3, 6, 7, 19, copies, 3, 2)));
  }
}

TEST_CASE("stem adds residuals and knows every activation") {
  for (int kind = 0; kind <= static_cast<int>(ActivationKind::kSigmoid); ++kind) {
    const auto activation = static_cast<ActivationKind>(kind);
    check_both_forms(with_residual(conv_shape(1, 3, 6, 7, 24, 2, 3, 1), activation));
    check_stem(interleaved(with_residual(conv_shape(1, 3, 6, 7, 21, 2, 3, 1), activation)));
  }
}

TEST_CASE("stem leaves more channels, single taps, groups and 32 bits to others") {
  const LayerShape shape = conv_shape(1, 3, 9, 8, 16, 2, 3, 1);
  CHECK(computes("stem", shape, Precision::kFp16));
  CHECK_FALSE(computes("stem", shape, Precision::kFp32));
  CHECK_FALSE(computes("stem", in_form(shape, WeightForm::kFlat), Precision::kFp16));
  CHECK_FALSE(computes("stem", conv_shape(1, 9, 9, 8, 16, 2, 3, 1), Precision::kFp16));
  CHECK_FALSE(computes("stem", conv_shape(1, 3, 9, 8, 16, 2, 1, 1), Precision::kFp16));
  CHECK_FALSE(computes("stem", linear_shape(4, 8, 16, 2), Precision::kFp16));
  LayerShape grouped = conv_shape(1, 4, 9, 8, 16, 1, 3, 1);
  grouped.groups = 2;
  grouped.order = InputOrder::of(9, 2);
  CHECK_FALSE(computes("stem", grouped, Precision::kFp16));
}
