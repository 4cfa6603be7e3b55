// The network of every shipped configuration, from its YAML to the bytes of a packed file and back:
// what was read computes what was written, on every backend. Nothing is trained.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "config/data_options.h"
#include "config/load.h"
#include "data/registry.h"
#include "export/packed_model.h"
#include "graph/passes/half_scalars.h"
#include "graph/passes/passes.h"
#include "support/catch.h"
#include "support/random_model.h"
#include "support/source_dir.h"
#include "tbn/file.h"
#include "tbn/runtime.h"
#include "train/run/trainer_graph.h"

using namespace tbn;
using Values = std::vector<float>;

namespace {

namespace fs = std::filesystem;

// Plain loops take a second for some hundred million products: larger networks, whose layers are
// those of the smaller ones, are run by the quick kernels alone.
constexpr std::int64_t kMostByPlainLoops = 150'000'000;

// But parts of others, and the list of all defaults.
std::vector<fs::path> shipped_configs() {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(test::source_dir() / "configs")) {
    const fs::path& path = entry.path();
    if (path.extension() == ".yaml" && path.parent_path().filename() != "base") {
      paths.push_back(path);
    }
  }
  std::ranges::sort(paths);
  return paths;
}

Graph graph_of(const Config& config) {
  const SampleSpec samples = describe_data(data_options(config.data));
  const bool normalizes = samples.bytes && config.data.normalize;
  const auto channels = static_cast<std::size_t>(samples.input.front());
  const ChannelStatistics statistics{.mean = std::vector<double>(channels, 120),
                                     .deviation = std::vector<double>(channels, 60)};
  return training_graph(config, samples, normalizes ? &statistics : nullptr);
}

Values answer(const std::shared_ptr<const Network>& network, Backend backend, const Values& input) {
  Values output(static_cast<std::size_t>(element_count(network->output_shape())));
  Session(network, {.backend = backend}).run(input, 1, output);
  return output;
}

// Relative to the largest value.
double difference(const Values& a, const Values& b) {
  double largest = 0;
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(b[i])));
    most = std::max(most, std::abs(static_cast<double>(a[i]) - b[i]));
  }
  return most / largest;
}

}  // namespace

TEST_CASE("every shipped configuration is packed and read back as the network that it makes") {
  const std::vector<fs::path> paths = shipped_configs();
  REQUIRE(paths.size() >= 30);
  std::vector<Graph> seen;
  std::size_t by_plain_loops = 0;
  for (const fs::path& path : paths) {
    INFO(path.string());
    Config config = load_config(path, {});
    // Of examples, from the root of the repository.
    if (!config.data.root.empty())
      config.data.root = (test::source_dir() / config.data.root).string();
    Graph graph = graph_of(config);
    if (std::ranges::find(seen, graph) != seen.end()) continue;  // another recipe for the same
    seen.push_back(graph);
    const std::int64_t products = summarize(graph).totals.macs;
    Model packed = pack_model(test::random_trained(std::move(graph), 7));
    const auto made = Network::from(packed);
    // As export.scalars says, whose rounding the network then has.
    if (scalar_type(config.exported) == DType::kF16) narrow_scalars(packed, "the network");
    const auto bytes = serialize_packed(make_packed_file(packed, {}));
    const auto read = Network::parse(bytes, "read.tbn");
    CHECK(read->graph() == made->graph());
    const HostTensor input = example_inputs(read->graph(), 1);
    const auto values = input.values<float>();
    const Values example(values.begin(), values.end());
    const Values exact = answer(read, Backend::kExact, example);
    CHECK(std::ranges::all_of(exact, [](float v) { return std::isfinite(v); }));
    if (scalar_type(config.exported) == DType::kF32) {
      CHECK((read->tensors() == made->tensors()));  // LibTorch would print the map, and cannot
      CHECK(exact == answer(made, Backend::kExact, example));
    }
    // Twelve blocks that nobody trained make much of what bytes round.
    CHECK(difference(answer(read, Backend::kInt8, example), exact) < 0.75);
    if (products > kMostByPlainLoops) continue;
    ++by_plain_loops;
    CHECK(difference(answer(read, Backend::kReference, example), exact) < 1e-4);
  }
  CHECK(by_plain_loops >= 10);
}
