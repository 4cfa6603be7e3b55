// Builds the training graph from a configuration.
#include "train/trainer_graph.h"

#include "tbn/models.h"
#include "tbn/policy.h"

namespace tbn {

DataOptions data_options(const DataConfig& data) {
  return {.name = data.name,
          .root = data.root,
          .validation = data.validation,
          .split_seed = static_cast<std::uint64_t>(data.split_seed),
          .train_limit = data.train_limit,
          .test_limit = data.test_limit};
}

Graph training_graph(const Config& config, const DatasetInfo& info,
                     const ChannelStatistics* statistics) {
  ModelSpec spec{.type = config.model.type,
                 .options = config.model.options,
                 .input = {info.channels, info.height, info.width},
                 .classes = info.classes};
  if (statistics != nullptr) {
    for (std::size_t c = 0; c < statistics->mean.size(); ++c) {
      spec.mean.push_back(static_cast<float>(statistics->mean[c]));
      // A constant channel carries nothing, but dividing by its deviation would make it infinite.
      const double deviation = statistics->deviation[c];
      spec.std.push_back(deviation > 0 ? static_cast<float>(deviation) : 1.0f);
    }
  }
  Graph graph = build_model(spec);
  apply_policy(graph, weight_policy(config.weights));
  return graph;
}

}  // namespace tbn
