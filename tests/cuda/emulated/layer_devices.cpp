// Which kernels layers leave alone on devices that lack the instructions, and blocks in another
// order.
#include "cuda/support/layer_check.h"
#include "support/catch.h"
#include "support/cuda_emulator/stream.h"

using namespace tbn;
using namespace tbn::cuda;
using namespace tbn::cuda::test;

TEST_CASE("mma leaves devices before compute capability 8.0 to others") {
  cuda_emulator::set_compute_capability(7, 5);
  CHECK_FALSE(computes("mma", linear_shape(3, 100, 7, 4), Precision::kFp16));
  cuda_emulator::set_compute_capability(9, 0);
  CHECK(computes("mma", linear_shape(3, 100, 7, 4), Precision::kFp16));
}

TEST_CASE("wgmma leaves devices of another compute capability than 9.0 to others") {
  const LayerShape shape = linear_shape(70, 136, 72, 2);
  cuda_emulator::set_compute_capability(10, 0);
  CHECK_FALSE(computes("wgmma", shape, Precision::kFp16));
  cuda_emulator::set_compute_capability(9, 0);
  CHECK(computes("wgmma", shape, Precision::kFp16));
}

TEST_CASE("the last block to arrive makes no difference to the sums of a shared tile") {
  for (const char* kernel : {"mma", "wgmma", "wgmma_padded"}) {
    for (const LayerShape& shape :
         {linear_shape(60, 1104, 72, 2), conv_shape(1, 96, 6, 7, 40, 2, 3, 1)}) {
      CAPTURE(kernel, shape.channels);
      if (!computes(kernel, shape, Precision::kFp16)) continue;  // linear ones have no padding
      const double error = layer_error(kernel, shape, Precision::kFp16);
      cuda_emulator::set_reversed_blocks(true);
      CHECK(layer_error(kernel, shape, Precision::kFp16) == error);
      cuda_emulator::set_reversed_blocks(false);
    }
  }
}
