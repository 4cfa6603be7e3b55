// From a rule's types to the settings of a configuration.
#include "app/support/rule_settings.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "data/data_rule.h"
#include "data/registry.h"
#include "prepare/inputs.h"

namespace tbn {
namespace {

template <class T>
std::string setting_text(const T& value) {
  return fmt::format("{}", value);
}
template <Worded E>
std::string setting_text(const E& value) {
  return std::string(word_of(value));
}

class Taker {
 public:
  Taker(DataConfig& config, std::vector<RuleSetting>& settings)
      : config_(config), settings_(settings) {}

  template <class T, class V>
  void take(const char* key, T DataConfig::*member, V value) {
    config_.*member = static_cast<T>(std::move(value));
    settings_.push_back(
        {key, [member](const DataConfig& config) { return setting_text(config.*member); }});
  }

 private:
  DataConfig& config_;
  std::vector<RuleSetting>& settings_;
};

void take_measured(Taker& taker, const MeasuredRule& rule) {
  taker.take("data.validation", &DataConfig::validation, rule.validation);
  taker.take("data.split_seed", &DataConfig::split_seed, rule.seed);
  taker.take("data.train_limit", &DataConfig::train_limit, rule.train_limit);
  taker.take("data.test_limit", &DataConfig::test_limit, rule.test_limit);
  if (const auto limits = value_of<LimitRule>(rule.limits)) {
    taker.take("data.limits", &DataConfig::limits, *limits);
  }
  taker.take("data.on_error", &DataConfig::on_error,
             value_of<OnError>(rule.on_error).value_or(OnError::kStop));
  if (rule.skip_most > 0) taker.take("data.skip_most", &DataConfig::skip_most, rule.skip_most);
}

void take_image(Taker& taker, const InputRule& rule) {
  Decode decode = Decode::kExact;
  Exif exif = Exif::kIgnore;
  bool resizes = false;
  for (const InputStep& step : rule.steps) {
    if (std::holds_alternative<DecodeStep>(step)) decode = Decode::kReduce;
    if (std::holds_alternative<OrientStep>(step)) exif = Exif::kTurn;
    const auto* resize = std::get_if<ResizeStep>(&step);
    if (resize == nullptr) continue;
    taker.take("data.resize", &DataConfig::resize, resize->shorter);
    resizes = true;
  }
  if (!resizes) return;
  taker.take("data.decode", &DataConfig::decode, decode);
  taker.take("data.exif", &DataConfig::exif, exif);
}

}  // namespace

std::vector<RuleSetting> take_rule(DataConfig& config, const Rule& rule, bool same_set) {
  std::vector<RuleSetting> settings;
  Taker taker(config, settings);
  if (rule.measured && same_set) take_measured(taker, *rule.measured);
  if (!rule.input) return settings;
  check_steps_known(*rule.input, "the rule of the network's inputs");
  if (rule.input->kind == "image") take_image(taker, *rule.input);
  if (rule.input->kind == "points") {
    const std::vector<std::string>& columns = rule.input->columns;
    config.points.normals = std::ranges::find(columns, "nx") != columns.end();
  }
  return settings;
}

std::optional<SeriesRule> series_rule(const Rule& rule, const std::optional<Units>& units,
                                      bool same_set) {
  if (!is_of_series(rule) && !units) return std::nullopt;
  SeriesRule series = series_of(rule, same_set);
  if (units) series.statistics = {.mean = units->mean, .deviation = units->deviation};
  return series;
}

void take_sizes(DataConfig& config, const Graph& graph, const DataOptions& options) {
  const Shape& in = graph.input_shape();
  const Shape& out = graph.output_shape();
  const DatasetReader& reader = find_dataset(options.name);
  // Images of files of fixed size are as they are stored.
  if (in.size() == 3 && reader.folders_are_classes) config.image_size = in[2];
  if (in.size() != 2) return;
  if (describe_data(options).task.task == Task::kForecasting) {
    config.series.window = in[0];
    config.series.horizon = out[0];
  } else {
    config.points.count = in[0];
  }
}

}  // namespace tbn
