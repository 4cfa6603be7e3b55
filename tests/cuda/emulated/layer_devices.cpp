// Which kernels layers leave alone on devices that lack the instructions, and blocks in another
// order.
#include "cuda/support/layer_check.h"
#include "runtime/cuda/choice/tune.h"
#include "runtime/cuda/device/context.h"
#include "runtime/cuda/device/memory.h"
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

TEST_CASE("a kernel that cannot be launched is rejected where kernels are tried") {
  Context context(0);
  const LayerShape shape = linear_shape(70, 136, 72, 2);
  const std::vector<std::uint32_t> words(
      static_cast<std::size_t>(tile_words(shape.rows, shape.order.blocks())), 0x0f0f0f0f);
  const std::vector<float> ones(static_cast<std::size_t>(shape.outputs), 1.0f);
  const Buffer bits = Buffer::copy_of(std::span(words.data(), words.size()), "a test");
  const Buffer scalars = Buffer::copy_of(std::span(ones.data(), ones.size()), "a test");
  const LayerData data = {.bits = bits.get<std::uint32_t>(),
                          .gain = scalars.get<float>(),
                          .bias = scalars.get<float>()};
  cuda_emulator::set_tensor_maps_refused(true);
  const Choice refused = choose_by_time(shape, data, Precision::kBf16, context);
  cuda_emulator::set_tensor_maps_refused(false);
  CHECK(refused.rejected == "wgmma");
  Context other(0);
  CHECK(choose_by_time(shape, data, Precision::kBf16, other).rejected.empty());
}
