// Hopper's instructions as the emulator does them: bulk copies of boxes and of windows, products of
// matrices, and that what has not been waited for has not happened.
#include <cstring>
#include <vector>

#include "runtime/cuda/device/launch.h"
#include "runtime/cuda/device/memory.h"
#include "runtime/cuda/device/ptx_wgmma.h"
#include "runtime/cuda/layer/tensor_maps.h"
#include "support/catch.h"
#include "support/random_model.h"

using namespace tbn::cuda;
using tbn::Precision;
using tbn::test::random_values;

namespace {

constexpr int kBoxRows = 64;

LayerShape images(int batch, int size, int channels, int kernel, int stride, int padding) {
  LayerShape shape;
  shape.batch = batch;
  shape.in_h = shape.in_w = size;
  shape.channels = channels;
  shape.kernel_h = shape.kernel_w = kernel;
  shape.stride_h = shape.stride_w = stride;
  shape.padding_h = shape.padding_w = padding;
  shape.out_h = shape.out_w = (size + 2 * padding - kernel) / stride + 1;
  shape.order = InputOrder::of(kernel * kernel, channels);
  return shape;
}

std::vector<__nv_bfloat16> rounded(std::int64_t count) {
  std::vector<__nv_bfloat16> values;
  for (const float value : random_values(count, 11, -1, 1)) {
    values.push_back(__float2bfloat16(value));
  }
  return values;
}

// Copies one box of 64 rows by 64 inputs and gives it back without the swizzle.
__global__ void copy_one(const CUtensorMap map, bool windows, WindowPlace at, std::uint16_t* out) {
  auto* box = shared_memory<unsigned char>();
  auto* barrier = reinterpret_cast<Barrier*>(box + kBoxRows * 128);
  if (threadIdx.x == 0) {
    barrier_init(barrier, 1);
    fence_barrier_init();
    barrier_arrive_expecting(barrier, kBoxRows * 128);
    if (windows) {
      copy_windows(box, &map, barrier, at);
    } else {
      copy_box(box, &map, barrier, at.c, at.w);
    }
  }
  __syncthreads();
  barrier_wait(barrier, 0);
  for (unsigned i = threadIdx.x; i < kBoxRows * kCopyInputs; i += blockDim.x) {
    const unsigned row = i / kCopyInputs, chunk = i % kCopyInputs / 8;
    std::memcpy(out + i, box + row * 128 + (chunk ^ row % 8) * 16 + i % 8 * 2, 2);
  }
}

std::vector<float> copied(const LayerShape& shape, const std::vector<__nv_bfloat16>& x,
                          const WindowPlace& at) {
  const Buffer in = Buffer::copy_of(std::span(x.data(), x.size()), "a test");
  const Buffer out = Buffer::on_device(kBoxRows * kCopyInputs * 2, "a test");
  launch("copy_one", copy_one, {.blocks = 1, .threads = 64, .shared_bytes = kBoxRows * 128 + 8},
         nullptr, input_map(shape, Precision::kBf16, in.get(), kBoxRows), !shape.is_linear(), at,
         out.get<std::uint16_t>());
  std::vector<float> values;
  for (int i = 0; i < kBoxRows * kCopyInputs; ++i) {
    values.push_back(__bfloat162float(out.get<__nv_bfloat16>()[i]));
  }
  return values;
}

// d = a b for 64 rows and kColumns columns, 64 inputs; every lane takes its fragments from `a`.
template <int kColumns>
__global__ void multiply(const __nv_bfloat16* a, const __nv_bfloat16* b, float* d, bool wait) {
  auto* matrix = shared_memory<unsigned char>();
  for (unsigned i = threadIdx.x; i < kColumns * 64; i += kWarpgroup) {
    const unsigned n = i / 64, chunk = i % 64 / 8;
    std::memcpy(matrix + n * 128 + (chunk ^ n % 8) * 16 + i % 8 * 2, b + i, 2);
  }
  __syncthreads();
  const unsigned row = threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4, t = threadIdx.x % 4;
  unsigned fragments[4][4];
  float sums[kColumns / 2] = {};
  for (unsigned k = 0; k < 4; ++k) {
    for (unsigned r = 0; r < 4; ++r) {
      std::memcpy(&fragments[k][r], a + (row + r % 2 * 8) * 64 + k * 16 + 2 * t + r / 2 * 8, 4);
    }
  }
  wgmma_fence();
  for (int k = 0; k < 4; ++k) {
    wgmma<__nv_bfloat16, kColumns>(sums, fragments[k], sixteen_inputs_on(matrix_at(matrix), k));
  }
  wgmma_commit();
  if (wait) wgmma_wait<0>();
  for (unsigned i = 0; i < kColumns / 2; ++i) {
    d[(row + i / 2 % 2 * 8) * kColumns + i / 4 * 8 + 2 * t + i % 2] = sums[i];
  }
  wgmma_wait<0>();
}

// Reads a copied box before its barrier says that it has come, or waits for bytes that never come.
__global__ void misuse_copy(const CUtensorMap map, bool wait, std::uint32_t* out) {
  auto* box = shared_memory<unsigned char>();
  auto* barrier = reinterpret_cast<Barrier*>(box + kBoxRows * 128);
  barrier_init(barrier, 1);
  fence_barrier_init();
  barrier_arrive_expecting(barrier, kBoxRows * 128 + (wait ? 1 : 0));
  copy_box(box, &map, barrier, 0, 0);
  if (wait) barrier_wait(barrier, 0);
  std::memcpy(out, box, 4);
  if (!wait) barrier_wait(barrier, 0);
}

__global__ void multiply_without_fence() {
  const unsigned weights[4] = {};
  float sums[32] = {};
  wgmma<__half, 64>(sums, weights, matrix_at(shared_memory<unsigned char>()));
}

}  // namespace

TEST_CASE("a copy that is not waited for is no numbers, one that never ends is an error") {
  const LayerShape shape = images(kBoxRows, 1, 64, 1, 1, 0);
  const auto x = rounded(kBoxRows * 64);
  const Buffer in = Buffer::copy_of(std::span(x.data(), x.size()), "a test");
  const Buffer out = Buffer::on_device(4, "a test");
  const CUtensorMap map = input_map(shape, Precision::kBf16, in.get(), kBoxRows);
  const Grid grid = {.blocks = 1, .threads = 1, .shared_bytes = kBoxRows * 128 + 8};
  launch("misuse_copy", misuse_copy, grid, nullptr, map, false, out.get<std::uint32_t>());
  CHECK(*out.get<std::uint32_t>() == 0xffffffff);
  CHECK_THROWS(
      launch("misuse_copy", misuse_copy, grid, nullptr, map, true, out.get<std::uint32_t>()));
}

TEST_CASE("a product whose registers no fence has seen is an error") {
  CHECK_THROWS(launch("multiply_without_fence", multiply_without_fence,
                      {.blocks = 1, .threads = kWarpgroup, .shared_bytes = 64 * 128}, nullptr));
}

TEST_CASE("a box of a matrix is copied, with zeros beyond its ends") {
  const int pixels = 90, channels = 72;
  LayerShape shape = images(pixels, 1, channels, 1, 1, 0);
  REQUIRE(has_tensor_map(shape));
  const auto x = rounded(pixels * channels);
  const auto box = copied(shape, x, {.c = 64, .w = 40});
  for (int row = 0; row < kBoxRows; ++row) {
    for (int c = 0; c < kCopyInputs; ++c) {
      const int pixel = 40 + row, channel = 64 + c;
      const bool inside = pixel < pixels && channel < channels;
      const auto at = static_cast<std::size_t>(pixel * channels + channel);
      REQUIRE(box[static_cast<std::size_t>(row * kCopyInputs + c)] ==
              (inside ? __bfloat162float(x[at]) : 0.0f));
    }
  }
}

TEST_CASE("the windows of 64 pixels are copied at a tap, over rows, images and the padding") {
  for (const int stride : {1, 2}) {
    for (const int size : {5, 8}) {
      CAPTURE(stride, size);
      const int batch = 3, channels = 40;
      const LayerShape shape = images(batch, size, channels, 3, stride, 1);
      REQUIRE(has_tensor_map(shape));
      const auto x = rounded(batch * size * size * channels);
      const int first = shape.out_w + 1;  // the second pixel of the second row
      const int tap_h = 2, tap_w = 0;
      const auto box = copied(shape, x,
                              {.w = stride - 1,
                               .h = stride - 1,
                               .tap_w = static_cast<unsigned short>(tap_w),
                               .tap_h = static_cast<unsigned short>(tap_h)});
      for (int row = 0; row < kBoxRows; ++row) {
        const int m = first + row, plane = shape.out_h * shape.out_w;
        const int n = m / plane, y = m % plane / shape.out_w * stride - 1 + tap_h;
        const int z = m % shape.out_w * stride - 1 + tap_w;
        for (int c = 0; c < kCopyInputs; ++c) {
          const bool inside = n < batch && y >= 0 && y < size && z >= 0 && z < size && c < channels;
          const auto at = static_cast<std::size_t>(((n * size + y) * size + z) * channels + c);
          REQUIRE(box[static_cast<std::size_t>(row * kCopyInputs + c)] ==
                  (inside ? __bfloat162float(x[at]) : 0.0f));
        }
      }
    }
  }
}

TEST_CASE("what a tensor map cannot describe is known beforehand") {
  CHECK_FALSE(has_tensor_map(images(2, 8, 12, 3, 1, 1)));     // 24 bytes from pixel to pixel
  CHECK_FALSE(has_tensor_map(images(2, 40, 64, 3, 9, 1)));    // a stride beyond 8
  CHECK_FALSE(has_tensor_map(images(1, 300, 8, 200, 1, 0)));  // a corner below -128
}

TEST_CASE("a warpgroup multiplies registers by swizzled shared memory, when it is waited for") {
  constexpr int kColumns = 128;
  const auto a = rounded(64 * 64), b = rounded(kColumns * 64);
  const Buffer a_there = Buffer::copy_of(std::span(a.data(), a.size()), "a test");
  const Buffer b_there = Buffer::copy_of(std::span(b.data(), b.size()), "a test");
  const Buffer d = Buffer::on_device(64 * kColumns * 4, "a test");
  for (const bool wait : {true, false}) {
    launch("multiply", multiply<kColumns>,
           {.blocks = 1, .threads = kWarpgroup, .shared_bytes = kColumns * 128}, nullptr,
           a_there.get<__nv_bfloat16>(), b_there.get<__nv_bfloat16>(), d.get<float>(), wait);
    for (int row = 0; row < 64; ++row) {
      for (int n = 0; n < kColumns; ++n) {
        double sum = 0;
        for (int k = 0; k < 64; ++k) {
          sum += double{__bfloat162float(a[static_cast<std::size_t>(row * 64 + k)])} *
                 double{__bfloat162float(b[static_cast<std::size_t>(n * 64 + k)])};
        }
        const double got = d.get<float>()[row * kColumns + n];
        REQUIRE(got == Approx(wait ? sum : 0).margin(1e-5));
      }
    }
  }
}
