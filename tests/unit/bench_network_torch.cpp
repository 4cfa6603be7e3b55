// The networks of benchmarks.
#include "train/bench/bench_network.h"

#include "config/load.h"
#include "data/source/dataset.h"
#include "support/catch.h"
#include "support/source_dir.h"
#include "train/optim/optimizer_groups.h"

using namespace tbn;

TEST_CASE("a float twin keeps the groups of the optimiser that its tensors belong to, no others") {
  const SampleSpec spec = {.input = {1, 28, 28}, .bytes = true, .task = {.output = {10}}};
  Config config = load_config(test::source_dir() / "configs/fashion_mnist/resnet_p4.yaml", {});
  config.optim.groups.clear();
  const auto add = [&](std::vector<std::string> match) {
    config.optim.groups.emplace_back().match = std::move(match);
  };
  add({"latents"});
  add({"*.latent", "block1.*.alpha", "norms"});
  add({"alphas", "block1.*", "*.latent*"});
  add({"block2.conv1.alpha_latent"});
  const Config twin = float_twin(config, spec);
  REQUIRE(twin.optim.groups.size() == 2);
  CHECK((twin.optim.groups[0].match == std::vector<std::string>{"norms"}));
  CHECK((twin.optim.groups[1].match == std::vector<std::string>{"block1.*"}));
  const Graph graph = bench_graph(twin, spec);
  for (const Node& node : graph.nodes) {
    const WeightEncoding* encoding = weights_of(node.op);
    if (encoding != nullptr) CHECK((*encoding == WeightEncoding(FloatWeights{})));
  }
  CHECK(resolve_groups(twin.optim, trained_parameters(graph)).size() == 3);
}
