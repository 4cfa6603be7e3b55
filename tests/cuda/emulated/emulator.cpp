// The emulator itself: threads that wait for each other, and what it must notice.
#include "runtime/cuda/device/launch.h"
#include "runtime/cuda/device/memory.h"
#include "support/catch.h"
#include "support/cuda_emulator/stream.h"

using namespace tbn::cuda;

namespace {

__global__ void reverse(const int* x, int* y) {
  int* shared = shared_memory<int>();
  shared[threadIdx.x] = x[blockIdx.x * blockDim.x + threadIdx.x];
  __syncthreads();
  y[blockIdx.x * blockDim.x + threadIdx.x] = shared[blockDim.x - 1 - threadIdx.x];
}

__global__ void sum_lanes(float* y) { y[threadIdx.x] = warp_sum(static_cast<float>(threadIdx.x)); }

__global__ void wait_for_nobody() {
  if (threadIdx.x == 0) __syncwarp(3u);
}

__global__ void meet_all(unsigned* count, unsigned* seen) {
  if (threadIdx.x == 0) {
    atomicAdd(count, 1u);
    while (*static_cast<volatile unsigned*>(count) < gridDim.x) __nanosleep(20);
  }
  __syncthreads();
  if (threadIdx.x == 0) seen[blockIdx.x] = *count;
}

// Each thread takes its neighbour's value of every round, but nothing keeps a quick neighbour from
// storing the next before it is taken.
__global__ void take_too_late(int* wrong) {
  volatile int* shared = shared_memory<int>();
  for (int round = 0; round < 4; ++round) {
    shared[threadIdx.x] = round;
    __syncthreads();
    if (shared[(threadIdx.x + 32) % blockDim.x] != round) atomicAdd(wrong, 1);
  }
}

int wrong_values(unsigned seed) {
  const unsigned before = cuda_emulator::set_shuffled_threads(seed);
  const Buffer wrong = Buffer::on_device(4, "a test");
  cudaMemset(wrong.get(), 0, 4);
  launch("take_too_late", take_too_late, {.blocks = 1, .threads = 128, .shared_bytes = 512},
         nullptr, wrong.get<int>());
  cuda_emulator::set_shuffled_threads(before);
  return *wrong.get<int>();
}

}  // namespace

TEST_CASE("threads of a block meet at a barrier") {
  const int count = 200;
  std::vector<int> x(2 * count);
  for (int i = 0; i < 2 * count; ++i) x[static_cast<std::size_t>(i)] = i;
  const Buffer in = Buffer::copy_of(std::span<const int>(x), "a test");
  const Buffer out = Buffer::on_device(in.bytes(), "a test");
  launch("reverse", reverse, {.blocks = 2, .threads = count, .shared_bytes = count * sizeof(int)},
         nullptr, in.get<int>(), out.get<int>());
  for (int i = 0; i < count; ++i) {
    CHECK(out.get<int>()[i] == count - 1 - i);
    CHECK(out.get<int>()[count + i] == 2 * count - 1 - i);
  }
}

TEST_CASE("lanes of a warp exchange values") {
  const Buffer out = Buffer::on_device(64 * sizeof(float), "a test");
  launch("sum_lanes", sum_lanes, {.blocks = 1, .threads = 64}, nullptr, out.get<float>());
  CHECK(out.get<float>()[5] == 496);
  CHECK(out.get<float>()[40] == 1520);
}

TEST_CASE("blocks of a cooperative launch run at once") {
  const Buffer count = Buffer::on_device(4, "a test");
  cudaMemset(count.get(), 0, 4);
  const Buffer seen = Buffer::on_device(5 * 4, "a test");
  launch("meet_all", meet_all, {.blocks = 5, .threads = 40, .cooperative = true}, nullptr,
         count.get<unsigned>(), seen.get<unsigned>());
  for (int i = 0; i < 5; ++i) CHECK(seen.get<unsigned>()[i] == 5);
}

TEST_CASE("threads that wait for each other for ever are an error") {
  CHECK_THROWS(launch("wait_for_nobody", wait_for_nobody, {.blocks = 1, .threads = 32}, nullptr));
}

TEST_CASE("what is copied without a stream comes when somebody waits for it") {
  const std::vector<int> x = {1, 2, 3, 4};
  const Buffer late = Buffer::on_device(4 * sizeof(int), "a test");
  const Buffer out = Buffer::on_device(4 * sizeof(int), "a test");
  const Stream stream;
  const auto reversed = [&](const Buffer& in) {
    launch("reverse", reverse, {.blocks = 1, .threads = 4, .shared_bytes = 4 * sizeof(int)},
           stream.get(), in.get<int>(), out.get<int>());
    return std::vector<int>(out.get<int>(), out.get<int>() + 4);
  };
  cudaMemcpy(late.get(), x.data(), 4 * sizeof(int), cudaMemcpyHostToDevice);
  CHECK(reversed(late) == std::vector<int>(4, -1));
  cudaStreamSynchronize(nullptr);
  CHECK(reversed(late) == std::vector<int>{4, 3, 2, 1});
  cudaMemset(late.get(), 0, 4 * sizeof(int));
  CHECK(reversed(late) == std::vector<int>{4, 3, 2, 1});
  cudaDeviceSynchronize();
  CHECK(reversed(late) == std::vector<int>(4, 0));
  CHECK(reversed(Buffer::copy_of(std::span<const int>(x), "a test")) ==
        std::vector<int>{4, 3, 2, 1});
}

TEST_CASE("threads that take turns in a random order show a barrier that is missing") {
  int found = 0;
  for (unsigned seed = 1; seed <= 5; ++seed) found += wrong_values(seed) > 0 ? 1 : 0;
  CHECK(found > 0);
}
