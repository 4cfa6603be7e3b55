// Prints the class that a packed network sees in a raw file of bytes or floats, its values in the
// order of the input's shape:
//
//   classify models/pretrained/fashion_mnist_resnet_p4.tbn image.raw
#include <tbn/runtime.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <vector>

static std::vector<float> read_values(const char* path, std::size_t count) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> raw(std::istreambuf_iterator<char>(file), {});
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(raw.data());
  if (raw.size() == count) return {bytes, bytes + count};
  std::vector<float> values(count);
  if (raw.size() != count * sizeof(float)) throw std::runtime_error("the input has a wrong size");
  std::memcpy(values.data(), raw.data(), raw.size());
  return values;
}

int main(int argc, char** argv) try {
  if (argc != 3) throw std::runtime_error("usage: classify <network.tbn> <input.raw>");
  const auto network = tbn::Network::load(argv[1]);
  std::vector<float> logits(tbn::element_count(network->output_shape()));
  tbn::Session session(network, {.threads = 1});
  session.run(read_values(argv[2], tbn::element_count(network->input_shape())), 1, logits);
  std::cout << std::max_element(logits.begin(), logits.end()) - logits.begin() << '\n';
} catch (const std::exception& error) {
  std::cerr << "classify: " << error.what() << '\n';
  return 1;
}
