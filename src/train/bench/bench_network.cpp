// Makes networks and inputs without a data set.
#include "train/bench/bench_network.h"

#include <torch/torch.h>

#include <algorithm>
#include <string>
#include <vector>

#include "data/source/image_set.h"
#include "train/executor/graph_module.h"
#include "train/optim/optimizer_groups.h"
#include "train/run/trainer_graph.h"
#include "train/state/init.h"

namespace tbn {
namespace {

constexpr std::uint64_t kSeed = 1;

}  // namespace

Graph bench_graph(const Config& config, const SampleSpec& spec) {
  if (!spec.bytes || !config.data.normalize) return training_graph(config, spec);
  const auto channels = static_cast<std::size_t>(spec.input.front());
  const ChannelStatistics uniform{std::vector<double>(channels, 127.5),
                                  std::vector<double>(channels, 73.9)};
  return training_graph(config, spec, &uniform);
}

Config float_twin(Config config, const SampleSpec& spec) {
  config.weights = {};
  config.weights.fields.encoding = "float";
  config.weights.small = "float";
  const std::vector<ParameterInfo> parameters = trained_parameters(bench_graph(config, spec));
  std::erase_if(config.optim.groups, [&](OptimGroup& group) {
    std::erase_if(group.match, [&](const std::string& pattern) {
      return std::none_of(parameters.begin(), parameters.end(),
                          [&](const ParameterInfo& p) { return matches(pattern, p); });
    });
    return group.match.empty();
  });
  return config;
}

void randomize(GraphModule& module) {
  initialize(module, InitConfig{}, kSeed);
  torch::manual_seed(kSeed);
  for (const NamedTensor& named : module.tensors()) {
    torch::Tensor tensor = named.tensor;
    if (named.role == TensorRole::kNormWeight) tensor.uniform_(0.5, 1.5);
    if (named.role == TensorRole::kNormBias || named.role == TensorRole::kBias) {
      tensor.normal_(0, 0.2);
    }
    if (named.role == TensorRole::kRunningMean) tensor.normal_(0, 0.3);
    if (named.role == TensorRole::kRunningVar) tensor.uniform_(0.5, 2);
    if (named.role == TensorRole::kEmbedding) tensor.normal_();
    if (named.role == TensorRole::kWeight && !tensor.any().item<bool>()) tensor.normal_(0, 0.3);
    if (named.role == TensorRole::kAlpha) tensor.mul_(torch::rand_like(tensor) + 0.5);
  }
}

at::Tensor random_inputs(const SampleSpec& spec, std::int64_t size) {
  std::vector<std::int64_t> sizes = {size};
  sizes.insert(sizes.end(), spec.input.begin(), spec.input.end());
  return spec.bytes ? torch::randint(0, 256, sizes).to(torch::kUInt8) : torch::randn(sizes);
}

}  // namespace tbn
