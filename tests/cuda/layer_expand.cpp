// Expanded tiles multiplied by a library, and float weights, against double.
#include "cuda/support/layer_check.h"
#include "support/catch.h"
#include "tbn/ops.h"

using namespace tbn;
using namespace tbn::cuda;
using namespace tbn::cuda::test;

namespace {

void check_expand(const LayerShape& shape) {
  for (const Precision precision : kPrecisions) {
    CAPTURE(to_string(precision));
    CHECK(computes("expand", shape, precision));
    // Scalars that are rounded with the weights, in flat form, cost a little more.
    const double factor = shape.form == WeightForm::kFlat ? 2 : 1;
    CHECK(layer_error("expand", shape, precision) < factor * allowed_error(precision));
  }
}

}  // namespace

TEST_CASE("expanded tiles are multiplied and fanned out") {
  check_expand(linear_shape(3, 100, 7, 4));
  check_expand(linear_shape(70, 64, 16, 1));
  check_expand(interleaved(linear_shape(5, 300, 33, 2)));
  LayerShape adding = linear_shape(3, 100, 7, 4);
  adding.residual = true;
  adding.activation = static_cast<int>(ActivationKind::kRelu);
  check_expand(adding);
}

TEST_CASE("convolutions are laid out as matrices, their padding as zeros") {
  check_expand(conv_shape(2, 3, 7, 5, 6, 2, 3, 1));
  check_expand(conv_shape(1, 40, 6, 9, 5, 4, 3, 2));
  check_expand(conv_shape(2, 16, 6, 5, 8, 2, 1, 2));
}

TEST_CASE("flat tiles and float weights go the same way") {
  check_expand(in_form(linear_shape(3, 100, 7, 4), WeightForm::kFlat));
  check_expand(in_form(conv_shape(2, 40, 7, 5, 6, 2, 3, 1), WeightForm::kFlat));
  check_expand(in_form(linear_shape(3, 100, 7, 4), WeightForm::kFloat));
  check_expand(in_form(conv_shape(2, 40, 7, 5, 6, 2, 3, 1), WeightForm::kFloat));
  check_expand(in_form(conv_shape(1, 8, 7, 5, 6, 2, 3, 1), WeightForm::kFloat));
}
