// The emulated instructions of the tensor cores against plain loops, and what must be noticed.
#include <vector>

#include "runtime/cuda/device/launch.h"
#include "runtime/cuda/device/memory.h"
#include "runtime/cuda/device/ptx.h"
#include "support/catch.h"
#include "support/random_model.h"

using namespace tbn::cuda;

namespace {

// d = a b' for a [16][16] and b [8][16], operands loaded from shared memory; `swapped` gives b as
// [16][8].
template <class T, bool kSwapped>
__global__ void multiply(const T* a, const T* b, float* d) {
  T* shared = shared_memory<T>();
  const int lane = static_cast<int>(threadIdx.x);
  for (int i = lane; i < 256; i += kWarp) shared[i] = a[i];
  for (int i = lane; i < 128; i += kWarp) shared[256 + i] = b[i];
  __syncwarp();
  std::uint32_t left[4], right[4];
  // Matrices: upper left, lower left, upper right, lower right.
  ptx::ldmatrix_x4(left, shared + lane % 16 * 16 + lane / 16 * 8);
  const T* rows = shared + 256;
  if constexpr (kSwapped) {
    ptx::ldmatrix_x4_trans(right, rows + lane % 16 * 8);
  } else {
    ptx::ldmatrix_x4(right, rows + lane % 8 * 16 + lane / 8 % 2 * 8);
  }
  float sums[4] = {};
  ptx::mma_16x8x16<T>(sums, left, right[0], right[1]);
  const int g = lane / 4, t = lane % 4;
  for (int i = 0; i < 4; ++i) d[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = sums[i];
}

template <class T>
std::vector<T> rounded(std::int64_t count, std::uint64_t seed) {
  std::vector<T> values;
  for (const float x : tbn::test::random_values(count, seed, -1, 1)) {
    values.push_back(from_float<T>(x));
  }
  return values;
}

template <class T, bool kSwapped>
void check_product() {
  const std::vector<T> a = rounded<T>(256, 1), b = rounded<T>(128, 2);
  const Buffer in_a = Buffer::copy_of(std::span(a.data(), a.size()), "a test");
  const Buffer in_b = Buffer::copy_of(std::span(b.data(), b.size()), "a test");
  const Buffer out = Buffer::on_device(128 * sizeof(float), "a test");
  launch("multiply", multiply<T, kSwapped>,
         {.blocks = 1, .threads = kWarp, .shared_bytes = 384 * sizeof(T)}, nullptr,
         in_a.get<const T>(), in_b.get<const T>(), out.get<float>());
  for (std::size_t i = 0; i < 16; ++i) {
    for (std::size_t j = 0; j < 8; ++j) {
      double sum = 0;
      for (std::size_t k = 0; k < 16; ++k) {
        sum += static_cast<double>(to_float(a[i * 16 + k])) *
               static_cast<double>(to_float(b[kSwapped ? k * 8 + j : j * 16 + k]));
      }
      CHECK(static_cast<double>(out.get<float>()[i * 8 + j]) == Approx(sum).margin(1e-5));
    }
  }
}

// What thread 0 sees of two copies, one of zeros, after it waits for all but `pending` groups.
template <int kPending>
__global__ void copy_twice(const float* x, float* y) {
  float* shared = shared_memory<float>();
  ptx::copy_async_16(shared, x, true);
  ptx::commit_copies();
  ptx::copy_async_16(shared + 4, x, false);
  ptx::commit_copies();
  ptx::wait_copies<kPending>();
  for (int i = 0; i < 8; ++i) y[i] = shared[i];
}

template <int kPending>
std::vector<float> copied() {
  const std::vector<float> x = {1, 2, 3, 4};
  const Buffer in = Buffer::copy_of(std::span<const float>(x), "a test");
  const Buffer out = Buffer::on_device(8 * sizeof(float), "a test");
  launch("copy_twice", copy_twice<kPending>, {.blocks = 1, .threads = 1, .shared_bytes = 32},
         nullptr, in.get<const float>(), out.get<float>());
  return {out.get<float>(), out.get<float>() + 8};
}

}  // namespace

TEST_CASE("fragments loaded from shared memory multiply as matrices do") {
  check_product<__half, false>();
  check_product<__nv_bfloat16, false>();
  check_product<__half, true>();
  check_product<__nv_bfloat16, true>();
}

TEST_CASE("a copy to shared memory is seen once its group was waited for, not before") {
  CHECK(copied<0>() == std::vector<float>{1, 2, 3, 4, 0, 0, 0, 0});
  const std::vector<float> early = copied<1>();
  CHECK(early[3] == 4);
  CHECK(early[4] != early[4]);
  CHECK(copied<2>()[0] != copied<2>()[0]);
}
