// How soon a packed file gives its first result in a fresh process, and how much memory that takes:
// what prepared weights (tbn-export --prepare) are for. Linux.
//
//   tbn_first_result make linear|resnet18 <file.tbn>   a network with random weights
//   tbn_first_result run <file.tbn> exact|int8 [hold]  one line: milliseconds, and kB; hold: then
//                                                      waits for the end of its input
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "export/packed_model.h"
#include "graph/passes/passes.h"
#include "support/random_model.h"
#include "tbn/models.h"
#include "tbn/policy.h"
#include "tbn/runtime.h"

namespace {

using Clock = std::chrono::steady_clock;

double milliseconds(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

// Eight layers of 4096 x 4096 weights of one bit.
tbn::Graph linear_network() {
  tbn::GraphBuilder b("linear");
  tbn::Value x = b.input({4096});
  for (int i = 0; i < 8; ++i) x = x.linear(4096, {.weights = tbn::binary()}).relu();
  return b.finish(x.linear(10));
}

// As configs/resnet.yaml has it.
tbn::Graph resnet18() {
  tbn::Graph graph =
      tbn::build_model({.type = "resnet18", .input = {3, 32, 32}, .task = {.output = {10}}});
  const std::vector<std::string> small = {"conv1",          "layer1.0.conv1",    "layer1.0.conv2",
                                          "layer1.1.conv1", "layer2.0.shortcut", "classifier"};
  tbn::apply_policy(graph, {.standard = tbn::tiled(4), .rules = {{small, tbn::binary()}}});
  return graph;
}

void make(const std::string& kind, const std::string& path) {
  const tbn::Graph graph = kind == "linear" ? linear_network() : resnet18();
  const tbn::Model packed = tbn::pack_model(tbn::test::random_trained(graph, 1));
  tbn::write_packed(path, tbn::make_packed_file(packed, {}));
}

// A line of /proc/self/smaps_rollup, in kB.
long memory(const std::string& what) {
  std::ifstream lines("/proc/self/smaps_rollup");
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    long value = 0;
    if (words >> name >> value && name == what + ":") return value;
  }
  return -1;
}

void run(const std::string& path, const std::string& backend, bool hold) {
  const bool int8 = backend == "int8";
  const long before = memory("Private_Dirty");
  const auto start = Clock::now();
  const auto network = tbn::Network::load(path);
  const auto loaded = Clock::now();
  tbn::Session session(network, {.backend = int8 ? tbn::Backend::kInt8 : tbn::Backend::kExact});
  const auto ready = Clock::now();
  const std::vector<float> input(
      static_cast<std::size_t>(tbn::element_count(network->input_shape())), 1.0f);
  std::vector<float> output(static_cast<std::size_t>(tbn::element_count(network->output_shape())));
  session.run(input, 1, output);
  const auto first = Clock::now();
  const long dirty = memory("Private_Dirty"), pss = memory("Pss");
  constexpr int kRuns = 50;
  const auto again = Clock::now();
  for (int i = 0; i < kRuns; ++i) session.run(input, 1, output);
  const double later = milliseconds(again, Clock::now()) / kRuns;
  std::printf(
      "load %.2f, session %.2f, first run %.2f, together %.2f ms; later runs %.3f ms; "
      "Private_Dirty %ld kB (%ld before), Pss %ld kB\n",
      milliseconds(start, loaded), milliseconds(loaded, ready), milliseconds(ready, first),
      milliseconds(start, first), later, dirty, before, pss);
  std::fflush(stdout);
  if (!hold) return;
  std::cin.ignore(1);
  std::printf("Private_Dirty %ld kB, Pss %ld kB\n", memory("Private_Dirty"), memory("Pss"));
}

}  // namespace

int main(int argc, char** argv) try {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 3 && arguments[0] == "make") {
    make(arguments[1], arguments[2]);
  } else if (arguments.size() >= 3 && arguments[0] == "run") {
    run(arguments[1], arguments[2], arguments.size() > 3);
  } else {
    throw std::runtime_error("usage: see the head of tests/bench/first_result.cpp");
  }
} catch (const std::exception& error) {
  std::fprintf(stderr, "tbn_first_result: %s\n", error.what());
  return 1;
}
