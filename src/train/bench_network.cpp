// Networks and inputs that no data set was read for.
#include "train/bench_network.h"

#include <torch/torch.h>

#include <string>
#include <vector>

#include "data/images/image_set.h"
#include "train/trainer_graph.h"

namespace tbn {

Graph bench_graph(const Config& config, const SampleSpec& spec) {
  if (!spec.bytes || !config.data.normalize) return training_graph(config, spec);
  const auto channels = static_cast<std::size_t>(spec.input.front());
  const ChannelStatistics uniform{std::vector<double>(channels, 127.5),
                                  std::vector<double>(channels, 73.9)};
  return training_graph(config, spec, &uniform);
}

Config float_twin(Config config) {
  config.weights = {};
  config.weights.fields.encoding = "float";
  config.weights.small = "float";
  std::erase_if(config.optim.groups, [](OptimGroup& group) {
    std::erase_if(group.match, [](const std::string& name) {
      return name == "latents" || name == "alphas" || name.ends_with(".latent") ||
             name.ends_with(".alpha") || name.ends_with(".alpha_latent");
    });
    return group.match.empty();
  });
  return config;
}

at::Tensor random_inputs(const SampleSpec& spec, std::int64_t size) {
  std::vector<std::int64_t> sizes = {size};
  sizes.insert(sizes.end(), spec.input.begin(), spec.input.end());
  return spec.bytes ? torch::randint(0, 256, sizes).to(torch::kUInt8) : torch::randn(sizes);
}

}  // namespace tbn
