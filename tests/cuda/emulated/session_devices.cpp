// What a session says where the device is not what it needs: cases that only an emulator can make.
#include "cuda/support/sessions.h"
#include "graph/passes/passes.h"
#include "support/catch.h"
#include "support/cuda_emulator/stream.h"
#include "support/errors.h"
#include "support/random_model.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::cuda::test;
using tbn::test::message_of;
using tbn::test::says;

namespace {

std::shared_ptr<const Network> small_network() {
  return Network::from(pack_model(tbn::test::random_trained(tbn::test::odd_network(), 5)));
}

constexpr std::int64_t kInputs = 2 * 13 * 9;

std::vector<float> pixels(std::int64_t batch) {
  return tbn::test::random_values(batch * kInputs, 7, 0, 255);
}

// The device as the tests before and after this one know it.
struct Restored {
  ~Restored() {
    cuda_emulator::set_devices(1);
    cuda_emulator::set_memory(std::size_t{8} << 30);
    cuda_emulator::set_driver(13000);
    cuda_emulator::set_compute_capability(9, 0);
  }
};

void make_session(const CudaOptions& options = {}) {
  CudaSession session(small_network(), options);
}

}  // namespace

TEST_CASE("a machine without devices is a mistake of the configuration") {
  const Restored restored;
  cuda_emulator::set_devices(0);
  CHECK(says(message_of<ConfigError>([] { make_session(); }), {"no CUDA device", "nvidia-smi"}));
}

TEST_CASE("a device that the machine does not have is refused by its number") {
  CHECK(says(message_of<ConfigError>([] { make_session({.device = 7}); }),
             {"CUDA device 7 does not exist", "device 0"}));
  CHECK_THROWS_AS(make_session({.device = -1}), ConfigError);
}

TEST_CASE("drivers and devices that are too old are named") {
  const Restored restored;
  cuda_emulator::set_driver(11000);
  CHECK(
      says(message_of<SystemError>([] { make_session(); }), {"11.0", "update the NVIDIA driver"}));
  cuda_emulator::set_driver(13000);
  cuda_emulator::set_compute_capability(6, 1);
  CHECK(says(message_of<SystemError>([] { make_session(); }), {"6.1", "7.5 or newer"}));
}

TEST_CASE("a batch that is too large for the device's memory is refused; smaller ones still run") {
  const Restored restored;
  CudaSession session(small_network(), quick(Precision::kFp32));
  const std::vector<float> expected = run(session, pixels(1), 1);
  cuda_emulator::set_memory(cuda_emulator::used_memory() + 100'000);
  for (int again = 0; again < 2; ++again) {
    CHECK(says(message_of<SystemError>([&] { run(session, pixels(200), 200); }),
               {"memory for the activations", "too small", "try a smaller batch"}));
    CHECK(run(session, pixels(1), 1) == expected);
    CHECK(run(session, pixels(2), 2).size() == 2 * expected.size());
  }
  cuda_emulator::set_memory(std::size_t{8} << 30);
  CHECK(run(session, pixels(200), 200).size() == 200 * expected.size());
}

TEST_CASE("weights that are too large for the device's memory are refused, and none stay there") {
  const Restored restored;
  const std::size_t before = cuda_emulator::used_memory();
  cuda_emulator::set_memory(before + 2'000);
  CHECK(says(message_of<SystemError>([] { make_session(); }), {"conv2d 'flat'", "too small"}));
  CHECK(cuda_emulator::used_memory() == before);
}

TEST_CASE("a session's memory is free when it ends") {
  const std::size_t before = cuda_emulator::used_memory();
  {
    CudaSession session(small_network(), quick(Precision::kBf16));
    run(session, pixels(3), 3);
    run(session, pixels(5), 5);
    const CudaMemory memory = session.memory();
    CHECK(cuda_emulator::used_memory() - before ==
          static_cast<std::size_t>(memory.weights + memory.activations + memory.workspace));
  }
  CHECK(cuda_emulator::used_memory() == before);
}
