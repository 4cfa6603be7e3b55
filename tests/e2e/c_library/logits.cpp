// As logits.c, through the C++ interface.
#include <tbn/runtime.h>
#include <tbn/tensor.h>

#include <cstdio>
#include <fstream>
#include <vector>

int main(int, char** argv) {
  const auto network = tbn::Network::load(argv[1]);
  std::ifstream file(argv[2], std::ios::binary);
  tbn::Session session(network, {.threads = 1});
  std::vector<float> values(static_cast<std::size_t>(tbn::element_count(network->input_shape())));
  std::vector<float> logits(static_cast<std::size_t>(tbn::element_count(network->output_shape())));
  const auto size = static_cast<std::streamsize>(values.size() * sizeof(float));
  while (file.read(reinterpret_cast<char*>(values.data()), size)) {
    session.run(values, 1, logits);
    for (const float value : logits) std::printf("%a\n", static_cast<double>(value));
  }
}
