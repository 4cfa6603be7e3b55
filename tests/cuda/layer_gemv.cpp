// One to four vectors at a time, against double.
#include "cuda/support/layer_check.h"
#include "support/catch.h"
#include "tbn/ops.h"

using namespace tbn;
using namespace tbn::cuda;
using namespace tbn::cuda::test;

namespace {

void check_gemv(const LayerShape& shape) {
  for (const Precision precision : kPrecisions) {
    CAPTURE(to_string(precision), shape.pixels(), shape.channels, shape.rows, shape.copies());
    CHECK(computes("gemv", shape, precision));
    CHECK(layer_error("gemv", shape, precision) < allowed_error(precision));
  }
}

}  // namespace

TEST_CASE("a few vectors are multiplied by tiles of odd sizes") {
  for (int pixels = 1; pixels <= 4; ++pixels) {
    check_gemv(linear_shape(pixels, 1, 1, 1));
    check_gemv(linear_shape(pixels, 99, 7, 4));
    check_gemv(linear_shape(pixels, 256, 16, 2));
    check_gemv(interleaved(linear_shape(pixels, 1000, 33, 8)));
    check_gemv(linear_shape(pixels, 5003, 17, 1));
  }
}

TEST_CASE("a vector's products end with the residual and the activation") {
  LayerShape shape = linear_shape(2, 300, 20, 4);
  shape.residual = true;
  for (const ActivationKind kind :
       {ActivationKind::kNone, ActivationKind::kRelu, ActivationKind::kGelu, ActivationKind::kSilu,
        ActivationKind::kTanh, ActivationKind::kSigmoid}) {
    shape.activation = static_cast<int>(kind);
    check_gemv(shape);
  }
}

TEST_CASE("more vectors, windows and float weights are not this kernel's") {
  CHECK_FALSE(computes("gemv", linear_shape(5, 64, 16, 4), Precision::kBf16));
  CHECK_FALSE(computes("gemv", conv_shape(1, 64, 2, 2, 16, 1, 3, 1), Precision::kBf16));
  CHECK_FALSE(
      computes("gemv", in_form(linear_shape(1, 64, 16, 4), WeightForm::kFloat), Precision::kBf16));
}
