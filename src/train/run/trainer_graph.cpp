// Builds the training graph from a configuration.
#include "train/run/trainer_graph.h"

#include <string>
#include <vector>

#include <fmt/format.h>

#include "tbn/error.h"
#include "tbn/models.h"
#include "tbn/policy.h"

namespace tbn {
namespace {

// A network of one class is always right.
void check_classes(const SampleSpec& samples, const DataConfig& data) {
  if (samples.task.task != Task::kClassification || samples.task.output.back() > 1) return;
  const std::vector<std::string>& names = samples.class_keys();
  throw DataError(fmt::format(
      "data set '{}'{} has one class{}, and a network tells two or more apart; each class is a "
      "folder of its own below 'train'",
      data.name, data.root.empty() ? "" : fmt::format(" in '{}'", data.root),
      names.empty() ? "" : fmt::format(", '{}'", names.front())));
}

}  // namespace

Graph training_graph(const Config& config, const SampleSpec& samples,
                     const ChannelStatistics* statistics) {
  check_classes(samples, config.data);
  ModelSpec spec{.type = config.model.type,
                 .options = config.model.options,
                 .input = samples.input,
                 .task = samples.task};
  if (statistics != nullptr) {
    for (std::size_t c = 0; c < statistics->mean.size(); ++c) {
      spec.mean.push_back(config.data.center ? static_cast<float>(statistics->mean[c]) : 0.0f);
      // A constant channel carries nothing, but dividing by its deviation would make it infinite.
      const double deviation = statistics->deviation[c];
      spec.std.push_back(deviation > 0 ? static_cast<float>(deviation) : 1.0f);
    }
  }
  Graph graph = build_model(spec);
  WeightPolicy policy = weight_policy(config.weights);
  if (samples.task.task == Task::kForecasting) {
    policy.steps = {.horizon = samples.task.output.front(), .season = samples.season};
  }
  apply_policy(graph, policy);
  return graph;
}

}  // namespace tbn
