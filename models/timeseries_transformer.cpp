// Time-series Transformer: an encoder (Vaswani et al. 2017) whose tokens are the time steps, with
// all columns of a step in one token, for one step or many steps ahead.
#include "models/families.h"
#include "models/series.h"

namespace tbn {
namespace {

// From the encoded steps [T, F] to the forecast [H, C]. `temporal` maps time and features one after
// the other, so that its size stays in hand for long horizons and many columns: T H + F C weights
// instead of F H C (`last`) or T F H C (`flatten`).
Value head(Value x, const std::string& kind, const Shape& output) {
  if (kind == "temporal") {
    return over_time(x, output[0], "temporal_projection").linear(output[1]).named("head");
  }
  const Value features = kind == "last" ? x.slice(0, x.shape()[0] - 1, 1).flatten() : x.flatten();
  return features.linear(output[0] * output[1]).named("head").reshape(output);
}

Value build_series_transformer(GraphBuilder& b, Value x, const ModelOptions& options,
                               const TaskSpec& task) {
  const SeriesLevel level(x, options, task, "series_transformer");
  const auto positions =
      options.text("positions") == "learned" ? PositionKind::kLearned : PositionKind::kSinusoidal;
  x = level.values().linear(options.integer("dim")).named("embedding");
  x = x.position_embedding(positions).named("positions");
  x = encoder(b, dropout(x, options.real("dropout")), options);
  return level.restore(head(x, options.text("head"), task.output));
}

}  // namespace

ModelFamily series_transformer_family() {
  return {.name = "series_transformer",
          .summary = "Transformer encoder over time steps, 2 layers of 2 heads",
          .options = {count_option("dim", 128, 16384, "features of a step"),
                      count_option("depth", 2, 64, "layers"),
                      count_option("heads", 2, 256, "heads of the attention"),
                      count_option("mlp", 512, 65536, "hidden units of the layers' MLP"),
                      choice_option("positions", "sinusoidal", {"sinusoidal", "learned"},
                                    "what tells the steps apart"),
                      choice_option("head", "temporal", {"temporal", "last", "flatten"},
                                    "forecast from time and features in turn, from the last step, "
                                    "or from all steps at once"),
                      qkv_option(),
                      dropout_option(0.1, "dropout after positions and the layers' branches"),
                      normalize_option()},
          .build = build_series_transformer,
          .task = Task::kForecasting};
}

}  // namespace tbn
