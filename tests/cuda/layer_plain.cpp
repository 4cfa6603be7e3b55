// The plain kernel against double.
#include "cuda/support/layer_check.h"
#include "support/catch.h"
#include "tbn/ops.h"

using namespace tbn;
using namespace tbn::cuda;
using namespace tbn::cuda::test;

namespace {

void check_plain(const LayerShape& shape) {
  for (const Precision precision : kPrecisions) {
    CAPTURE(to_string(precision));
    CHECK(layer_error("plain", shape, precision) < allowed_error(precision));
  }
}

}  // namespace

TEST_CASE("the plain kernel computes linear layers of odd sizes") {
  check_plain(linear_shape(3, 100, 7, 4));
  check_plain(interleaved(linear_shape(5, 300, 33, 2)));
}

TEST_CASE("the plain kernel computes convolutions with few and many channels") {
  check_plain(conv_shape(2, 3, 7, 5, 6, 2, 3, 1));
  check_plain(conv_shape(1, 40, 6, 9, 5, 4, 3, 2));
}

TEST_CASE("the plain kernel computes flat tiles, float weights, groups, residuals") {
  check_plain(in_form(linear_shape(3, 100, 7, 4), WeightForm::kFlat));
  check_plain(in_form(conv_shape(2, 40, 7, 5, 6, 2, 3, 1), WeightForm::kFlat));
  check_plain(in_form(conv_shape(2, 3, 7, 5, 6, 2, 3, 1), WeightForm::kFloat));
  LayerShape grouped = in_form(conv_shape(2, 8, 7, 5, 8, 1, 3, 1), WeightForm::kTile);
  grouped.groups = 4;
  grouped.order = InputOrder::of(9, 2);
  grouped.tile_rows = 2;
  check_plain(grouped);
  grouped.interleaved = true;
  check_plain(grouped);
  LayerShape adding = linear_shape(3, 100, 7, 4);
  adding.residual = true;
  adding.activation = static_cast<int>(ActivationKind::kGelu);
  check_plain(adding);
}
