// Runs y = W x + b through the installed runtime, without LibTorch: prints "14 29".
#include <tbn/graph.h>
#include <tbn/runtime.h>

#include <iostream>
#include <vector>

int main() {
  tbn::GraphBuilder builder("consumer");
  tbn::Value x = builder.input({3});
  tbn::Graph graph = builder.finish(x.linear(2).named("classifier"));
  const std::vector<float> weight = {1, 2, 3, 4, 5, 6};
  const std::vector<float> bias = {0, -3};
  auto network =
      tbn::Network::from({graph,
                          {{"classifier.weight", tbn::HostTensor::of<float>({2, 3}, weight)},
                           {"classifier.bias", tbn::HostTensor::of<float>({2}, bias)}}});
  std::vector<float> y(2);
  tbn::Session(network).run(std::vector<float>{1, 2, 3}, 1, y);
  std::cout << y[0] << ' ' << y[1] << '\n';
}
