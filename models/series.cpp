// The parts that the forecasters share, see the header.
#include "models/series.h"

#include "base/counted.h"
#include "tbn/error.h"

namespace tbn {

OptionSpec normalize_option() {
  return choice_option("normalize", "none", {"last", "none"},
                       "last: take the window's last step away and add it to the forecast");
}

Value over_time(Value x, std::int64_t steps, std::string_view name) {
  return x.transpose().linear(steps).named(name).transpose();
}

Value encoder(GraphBuilder& b, Value x, const ModelOptions& options) {
  const std::int64_t features = x.shape().back();
  const std::int64_t heads = options.integer("heads");
  if (features % heads != 0) {
    throw ConfigError("model.heads: " + counted(heads, "head") + " do not divide " +
                      counted(features, "feature") + " (model.dim)");
  }
  const double rate = options.real("dropout");
  const SelfAttention attention{.head_dim = features / heads,
                                .fused = options.text("qkv") == "fused",
                                .dropout = rate,
                                .attention = {.heads = heads}};
  for (std::int64_t i = 0; i < options.integer("depth"); ++i) {
    const auto scope = b.scope("blocks." + std::to_string(i));
    x = residual_attention(b, x, attention);
    x = residual_mlp(b, x, "mlp", options.integer("mlp"), rate);
  }
  return x.layer_norm().named("norm");
}

void check_same_columns(const Value& series, const TaskSpec& task, const std::string& family) {
  if (task.output.back() == series.shape().back()) return;
  throw ConfigError("model.type: " + family + " forecasts all " +
                    counted(series.shape().back(), "column") + " of its input, but " +
                    std::to_string(task.output.back()) + " are asked for");
}

SeriesLevel::SeriesLevel(Value series, const ModelOptions& options, const TaskSpec& task,
                         const std::string& family)
    : relative_(options.text("normalize") == "last"), last_(series), values_(series) {
  if (series.shape().size() != 2) {
    throw ConfigError("model.type: " + family + " takes a series [T, C], the input is " +
                      to_string(series.shape()));
  }
  if (!relative_) return;
  check_same_columns(series, task, family + " with normalize: last");
  const std::int64_t steps = series.shape()[0];
  const std::int64_t columns = series.shape()[1];
  last_ = series.slice(0, steps - 1, 1).reshape({columns}).named("last");
  values_ = series - last_.expand(steps);
}

Value SeriesLevel::restore(Value forecast) const {
  return relative_ ? forecast + last_.expand(forecast.shape()[0]) : forecast;
}

}  // namespace tbn
