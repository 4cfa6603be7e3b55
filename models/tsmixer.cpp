// TSMixer (Chen et al. 2023): a linear layer over time and an MLP over the columns in turn, then
// one linear layer from the past steps to those to come.
#include "models/families.h"
#include "models/series.h"

namespace tbn {
namespace {

Value mix_time(GraphBuilder& b, Value x, double rate) {
  const auto branch = [&] {
    const auto scope = b.scope("time_mixing");
    const std::int64_t steps = x.shape()[0];
    const Value y = x.batch_norm().named("norm").transpose().linear(steps).named("fc1").relu();
    return dropout(y, rate).transpose();
  };
  return x + branch();
}

Value mix_features(GraphBuilder& b, Value x, std::int64_t hidden, double rate) {
  const auto branch = [&] {
    const auto scope = b.scope("feature_mixing");
    const std::int64_t columns = x.shape()[1];
    const Value y = x.batch_norm().named("norm").linear(hidden).named("fc1").relu();
    return dropout(dropout(y, rate).linear(columns).named("fc2"), rate);
  };
  return x + branch();
}

Value build_tsmixer(GraphBuilder& b, Value x, const ModelOptions& options, const TaskSpec& task) {
  const SeriesLevel level(x, options, task, "tsmixer");
  const double rate = options.real("dropout");
  x = level.values();
  for (std::int64_t i = 0; i < options.integer("depth"); ++i) {
    const auto scope = b.scope("blocks." + std::to_string(i));
    x = mix_time(b, x, rate);
    x = mix_features(b, x, options.integer("hidden"), rate);
  }
  x = over_time(x, task.output.front(), "temporal_projection");
  const std::int64_t columns = task.output.back();
  if (columns != x.shape()[1]) x = x.linear(columns).named("column_projection");
  return level.restore(x);
}

}  // namespace

ModelFamily tsmixer_family() {
  return {.name = "tsmixer",
          .summary = "TSMixer: MLPs over time and over columns",
          .options = {count_option("depth", 4, 64, "blocks"),
                      count_option("hidden", 64, 65536, "hidden units of the feature mixing"),
                      dropout_option(0.3, "dropout after each layer of the blocks"),
                      normalize_option()},
          .build = build_tsmixer,
          .task = Task::kForecasting};
}

}  // namespace tbn
