// Every configuration that is shipped loads.
#include <filesystem>

#include "config/load.h"
#include "support/catch.h"
#include "support/source_dir.h"
#include "tbn/model.h"

namespace tbn {
namespace {

const std::filesystem::path kConfigs = test::source_dir() / "configs";

Graph cifar10_graph_of(const Config& config) {
  Graph graph = build_model(
      {.type = config.model.type, .options = config.model.options, .input = Shape{3, 32, 32}});
  apply_policy(graph, weight_policy(config.weights));
  return graph;
}

}  // namespace

// That each makes a network for its data is checked by the tools' tests, which dry-run them all.
TEST_CASE("every shipped configuration loads and prints what loads as the same") {
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kConfigs)) {
    if (entry.path().extension() != ".yaml") continue;
    INFO(entry.path());
    ++files;
    const Config config = load_config(entry.path());
    CHECK(parse_config(print_config(config), "printed") == config);
  }
  CHECK(files >= 40);
}

TEST_CASE("ResNet-18 with the paper's list has 0.2586 bits per weight") {
  // 125,632 weights at p = 1 in 6 layers and the rest of 11,164,352 at p = 4 in 15.
  constexpr std::int64_t kBits = 125632 + (11164352 - 125632) / 4 + 32 * (6 * 1 + 15 * 4);
  for (const char* file : {"resnet.yaml", "paper/cifar10_resnet18_p4.yaml"}) {
    INFO(file);
    const LayerSummary totals = summarize(cifar10_graph_of(load_config(kConfigs / file))).totals;
    CHECK(totals.weights == 11164352);
    CHECK(totals.bits == kBits);
  }
}

}  // namespace tbn
