// A program that links the core and the runtime and nothing else: what an application that only
// runs packed networks looks like. With a file it replays the file's test vectors; without one it
// makes a tiled network of eight weights, whose answers are known, and runs that from a file of
// its own.
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <limits>
#include <vector>

#include "tbn/error.h"
#include "tbn/file.h"
#include "tbn/runtime.h"

namespace {

// y = relu(alpha_i (t . x) + bias) with two unique rows t, each used for two of the four outputs.
tbn::PackedFile known_network() {
  tbn::GraphBuilder b("known");
  const tbn::Value x = b.input({2});
  tbn::Op linear = tbn::Linear{.out_features = 4,
                               .bias = true,
                               .weights = tbn::tiled(2),
                               .activation = tbn::ActivationKind::kRelu};
  const tbn::Graph graph = b.finish(b.add(linear, {x}).named("fc"));
  tbn::PackedFile file{.graph_json = tbn::to_json(graph), .features = {"tiled"}};
  const std::vector<std::uint8_t> tile = {0b11, 0b01};  // rows (+1, +1) and (+1, -1)
  const std::vector<float> alpha = {1, 0.5f}, bias = {0, 0, 0, 10};
  const std::vector<float> input = {3, 5}, output = {8, 0, 4, 9};
  file.tensors["fc.tile"] = tbn::HostTensor::of<std::uint8_t>({2, 1}, tile);
  file.tensors["fc.alpha"] = tbn::HostTensor::of<float>({2}, alpha);
  file.tensors["fc.bias"] = tbn::HostTensor::of<float>({4}, bias);
  file.test_vectors = tbn::TestVectors{tbn::HostTensor::of<float>({1, 2}, input),
                                       tbn::HostTensor::of<float>({1, 4}, output)};
  return file;
}

// The largest difference from the file's test vectors; infinite where there are none.
double replay(const std::filesystem::path& path) {
  const auto network = tbn::Network::load(path);
  const tbn::HostTensor& input = network->verify_input();
  if (input.count() == 0) return std::numeric_limits<double>::infinity();
  const auto expected = network->verify_output().values<float>();
  std::vector<float> output(expected.size(), std::numeric_limits<float>::quiet_NaN());
  tbn::Session session(network, {.threads = 2});
  session.run(input.values<float>(), input.shape().front(), output);
  double largest = 0;
  for (std::size_t i = 0; i < output.size(); ++i) {
    const double difference = std::abs(double{output[i]} - double{expected[i]});
    if (!(difference <= largest)) largest = difference;  // keeps what is not a number
  }
  return largest;
}

double replay_known() {
  const std::filesystem::path path = "runtime_only.tbn";  // in the working folder
  tbn::write_packed(path, known_network());
  const double difference = replay(path);
  std::filesystem::remove(path);
  return difference;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const double difference = argc > 1 ? replay(argv[1]) : replay_known();
    std::printf("largest difference from the test vectors: %g\n", difference);
    return difference < 1e-4 ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
