// Which kernels layers leave alone on devices that lack the instructions.
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
