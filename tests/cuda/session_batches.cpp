// Batches of all sizes, however they come: as floats, as bytes, on the device, in parts.
#include "cuda/support/sessions.h"
#include "cuda/support/to_host.h"
#include "graph/passes/passes.h"
#include "runtime/cuda/device/memory.h"
#include "runtime/cuda/device/status.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/naive_eval.h"
#include "support/random_model.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::cuda::test;
using cuda::Buffer;
using cuda::check;

namespace {

std::shared_ptr<const Network> small_network() {
  return Network::from(pack_model(tbn::test::random_trained(tbn::test::odd_network(), 5)));
}

constexpr std::int64_t kInputs = 2 * 13 * 9, kOutputs = 5;

std::vector<float> pixels(std::int64_t batch) {
  std::vector<float> values = tbn::test::random_values(batch * kInputs, 7, 0, 255);
  for (float& value : values) value = static_cast<float>(static_cast<int>(value));
  return values;
}

// Sums of one order for every batch size: other kernels take turns.
CudaOptions same_sums() {
  CudaOptions options = quick(Precision::kFp32);
  options.kernel = "plain";
  return options;
}

// Of examples [first, first + count).
std::vector<float> part_of(const std::vector<float>& values, std::int64_t each, std::int64_t first,
                           std::int64_t count) {
  const auto begin = values.begin() + first * each;
  return {begin, begin + count * each};
}

}  // namespace

TEST_CASE("graphs give the same bits as launches one by one") {
  for (const Precision precision : kPrecisions) {
    CudaOptions options = quick(precision);
    CudaSession graphs(small_network(), options);
    options.graphs = false;
    CudaSession launches(small_network(), options);
    const std::vector<float> expected = run(launches, pixels(2), 2);
    for (int again = 0; again < 2; ++again) CHECK(run(graphs, pixels(2), 2) == expected);
  }
}

TEST_CASE("an example gives the same in growing and shrinking batches") {
  CudaSession session(small_network(), same_sums());
  const std::vector<float> input = pixels(12);
  const std::vector<float> expected = run(session, input, 12);
  std::int64_t most = session.memory().activations;
  // More sizes than graphs are kept.
  for (const std::int64_t batch : {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 12}) {
    CHECK(run(session, part_of(input, kInputs, 0, batch), batch) ==
          part_of(expected, kOutputs, 0, batch));
  }
  CHECK(session.memory().activations == most);
  CHECK(run(session, pixels(13), 13).size() == 13 * kOutputs);
  CHECK(session.memory().activations > most);
}

TEST_CASE("batches beyond max_batch run in parts, and take the memory of one") {
  CudaOptions options = same_sums();
  options.max_batch = 3;
  CudaSession parts(small_network(), options), whole(small_network(), same_sums());
  CHECK(run(parts, pixels(3), 3) == run(whole, pixels(3), 3));
  const std::int64_t most = parts.memory().activations;
  for (const std::int64_t batch : {8, 6, 11, 3}) {
    CHECK(run(parts, pixels(batch), batch) == run(whole, pixels(batch), batch));
  }
  CHECK(parts.memory().activations == most);
  CHECK(parts.kernels(8).size() == parts.kernels(3).size());
  CHECK_FALSE(parts.kernels(2).empty());  // the last part
  CHECK(parts.kernels(1).empty());
}

TEST_CASE("a session of the device takes bytes for the floats of their values") {
  for (const Precision precision : kPrecisions) {
    CudaSession session(small_network(), quick(precision));
    const std::vector<float> input = pixels(4);
    const std::vector<std::uint8_t> bytes(input.begin(), input.end());
    std::vector<float> output(4 * kOutputs);
    session.run(bytes, 4, output);
    CHECK(output == run(session, input, 4));
  }
}

TEST_CASE("a batch is repeated on the device, and what runs after it is right") {
  CudaSession session(small_network(), quick(Precision::kFp32));
  session.repeat();
  const std::vector<float> input = pixels(3);
  const std::vector<float> expected = run(session, input, 3);
  session.repeat();
  CHECK(run(session, input, 3) == expected);
  std::vector<std::uint8_t> bytes(input.size(), 7);
  std::vector<float> output(expected.size());
  session.run(bytes, 3, output);
  session.repeat();
  CHECK(run(session, input, 3) == expected);
}

TEST_CASE("a batch that lies on the device is computed there, in the order of its stream") {
  CudaOptions options = quick(Precision::kFp32);
  options.max_batch = 4;
  CudaSession session(small_network(), options);
  const std::vector<float> input = pixels(3);
  const std::vector<float> expected = run(session, input, 3);
  const Buffer x = Buffer::copy_of(std::span<const float>(input), "a test");
  const Buffer y = Buffer::on_device(3 * kOutputs * 4, "a test");
  const cuda::Stream stream;
  for (void* const on : {static_cast<void*>(stream.get()), static_cast<void*>(nullptr)}) {
    check(cudaMemset(y.get(), 0xff, static_cast<std::size_t>(y.bytes())), "a test");
    check(cudaDeviceSynchronize(), "a test");
    session.run_on_device(x.get<float>(), 3, y.get<float>(), on);
    session.run_on_device(x.get<float>(), 1, y.get<float>(), on);
    CHECK(to_host<float>(y) == expected);
  }
  session.run_on_device(nullptr, 0, nullptr, nullptr);
  CHECK_THROWS_AS(session.run_on_device(x.get<float>(), 5, y.get<float>(), nullptr), ConfigError);
  CHECK_THROWS_AS(session.run_on_device(x.get<float>(), -1, y.get<float>(), nullptr), ConfigError);
}

TEST_CASE("an empty batch is computed, and wrong sizes are refused") {
  CudaSession session(small_network(), quick(Precision::kFp16));
  CHECK(run(session, {}, 0).empty());
  std::vector<float> output(kOutputs);
  CHECK(tbn::test::says(
      tbn::test::message_of<ConfigError>([&] { session.run(pixels(2), 1, output); }),
      {"input holds 468 values", "1 example of [2, 13, 9]"}));
  CHECK(tbn::test::says(
      tbn::test::message_of<ConfigError>([&] { session.run(pixels(2), 2, output); }),
      {"output holds 5 values"}));
  CHECK_THROWS_AS(session.run(pixels(1), -1, output), ConfigError);
  CHECK(run(session, pixels(1), 1).size() == kOutputs);
  CudaOptions options;
  options.max_batch = 0;
  CHECK(tbn::test::says(
      tbn::test::message_of<ConfigError>([&] { CudaSession none(small_network(), options); }),
      {"max_batch", "is 0"}));
}

TEST_CASE("a session names its device and what it holds there") {
  CudaSession session(small_network(), quick(Precision::kBf16));
  CHECK_THAT(session.device_name(), ContainsSubstring("compute capability"));
  CHECK(session.memory().weights > 0);
  CHECK(session.memory().activations == 0);
  CHECK(session.kernels(1).empty());
  run(session, pixels(1), 1);
  CHECK(session.memory().activations > 0);
  CHECK(session.memory().workspace > 0);
  CHECK_FALSE(session.kernels(1).empty());
  CudaSession moved(std::move(session));
  CHECK(run(moved, pixels(1), 1).size() == kOutputs);
}

TEST_CASE("whichever kernels the layers use, a network gives the same") {
  const auto network = small_network();
  CudaSession plain(network, same_sums());
  const std::vector<float> expected = run(plain, pixels(3), 3);
  const std::vector<double> wanted(expected.begin(), expected.end());
  std::vector<std::string> kernels = cuda_layer_kernels();
  kernels.emplace_back();  // the quickest, each tried against the plain one
  for (const std::string& kernel : kernels) {
    CAPTURE(kernel);
    CudaSession session(network, {.precision = Precision::kFp32, .kernel = kernel});
    CHECK(tbn::test::relative_error(run(session, pixels(3), 3), wanted) < 1e-5);
    for (const CudaKernelChoice& choice : session.kernels(3)) CHECK(choice.rejected.empty());
  }
  CHECK_THROWS_AS(CudaSession(network, {.kernel = "none such"}), ConfigError);
}

TEST_CASE("runs are timed one by one") {
  CudaOptions options = quick(Precision::kFp32);
  options.max_batch = 4;
  CudaSession session(small_network(), options);
  const std::vector<double> times = session.time(pixels(3), 3, 5);
  REQUIRE(times.size() == 5);
  CHECK(session.time({}, 0, 2).size() == 2);
  for (const double microseconds : times) CHECK(microseconds > 0);
  CHECK_THROWS_AS(session.time(pixels(5), 5, 1), ConfigError);
  CHECK_THROWS_AS(session.time(pixels(2), 3, 1), ConfigError);
  CHECK_THROWS_AS(session.time(pixels(3), 3, -1), ConfigError);
}
