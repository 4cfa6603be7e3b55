// Bisects the factor on a network's widths.
#include "app/search/twin.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "config/weight_keys.h"
#include "encodings/encoding.h"
#include "tbn/error.h"
#include "train/run/trainer_graph.h"

namespace tbn::app {
namespace {

using Widths = std::vector<std::int64_t>;

void make_binary(WeightFields& fields) {
  if (fields.encoding != "tiled") return;
  fields.settings.find("p")->second = std::int64_t{1};
  settle(fields);
}

Config with_one_bit(Config config) {
  make_binary(config.weights.fields);
  if (config.weights.small == "tiled") config.weights.small = "binary";
  for (WeightRuleConfig& rule : config.weights.rules) make_binary(rule.fields);
  return config;
}

// How a family's networks are made narrower.
struct Scale {
  double least = 0;  // factors
  double most = 0;
  std::function<void(Config& config, double factor)> apply;
};

double width_of(const Config& config) {
  const auto width = config.model.options.find("width");
  return width == config.model.options.end() ? 1 : std::get<double>(width->second);
}

// A factor on the numbers of a list, each rounded, `width` among them.
Scale scale_list(const Config& config, const OptionSpec& spec) {
  Widths widths = std::get<Widths>(config.model.options.at(spec.key));
  const double width = spec.key == "channels" ? width_of(config) : 1;
  const auto most = static_cast<double>(*std::ranges::max_element(widths));
  return {.least = spec.min / most,
          .most = spec.max / most,
          .apply = [widths, width, key = spec.key, min = spec.min, max = spec.max](Config& changed,
                                                                                   double factor) {
            Widths scaled;
            for (const std::int64_t each : widths) {
              const double value = static_cast<double>(each) * width * factor;
              scaled.push_back(std::llround(std::clamp(value, min, max)));
            }
            changed.model.options[key] = scaled;
            if (key == "channels" && changed.model.options.contains("width")) {
              changed.model.options["width"] = 1.0;
            }
          }};
}

Scale scale_of(const Config& config) {
  const ModelFamily& family = model_family(config.model.type);
  const OptionSpec* width = nullptr;
  for (const OptionSpec& spec : family.options) {
    const auto given = config.model.options.find(spec.key);
    if (given == config.model.options.end()) continue;
    if (spec.key == "width") width = &spec;
    if (spec.key != "channels" && spec.key != "hidden") continue;
    const Widths* list = std::get_if<Widths>(&given->second);
    if (list != nullptr && !list->empty()) return scale_list(config, spec);
  }
  if (width == nullptr) {
    throw ConfigError(fmt::format(
        "--twin: model.type {} has none of the options channels, hidden and width, by which a "
        "network is made narrower",
        config.model.type));
  }
  return {.least = width->min, .most = width->max, .apply = [](Config& changed, double factor) {
            changed.model.options["width"] = factor;
          }};
}

// The shortest decimal number near `value` that `is_same` takes.
double shortest(double value, const std::function<bool(double)>& is_same) {
  double unit = 1;
  for (int digits = 1; digits < 9; ++digits) {
    unit *= 10;
    for (const double rounded : {std::ceil(value * unit) / unit, std::floor(value * unit) / unit}) {
      if (rounded > 0 && is_same(rounded)) return rounded;
    }
  }
  return value;
}

std::string number(std::int64_t value) { return grouped(static_cast<std::uint64_t>(value)); }

}  // namespace

Twin twin_of(const Config& config, const SampleSpec& samples, const ChannelStatistics* statistics,
             const FileFrame& frame, const Budget& budget) {
  constexpr int kHalvings = 40;
  const Config binary = with_one_bit(config);
  const Scale scale = scale_of(config);
  const auto config_at = [&](double factor) {
    Config changed = binary;
    scale.apply(changed, factor);
    return changed;
  };
  const auto graph_at = [&](double factor) {
    return training_graph(config_at(factor), samples, statistics);
  };
  const auto cost = [&](const Graph& graph) { return cost_of(graph, frame, needs_c(budget)); };
  double low = scale.least;  // keeps the budget
  Graph best = graph_at(low);
  if (const Costs least = cost(best); !fits(least, budget)) {
    const Limit& limit = budget.front();
    throw ConfigError(fmt::format("--{}: the narrowest 1-bit twin takes {} {}, more than {}",
                                  option_of(limit.kind), number(least[limit.kind]),
                                  unit_of(limit.kind), number(limit.most)));
  }
  // By doubling first: networks far beyond the budget would take long to pack.
  double high = std::max(low, std::min(scale.most, 1.0 / 64));
  Graph beyond;  // at `high`, where it breaks the budget
  while (high < scale.most) {
    beyond = graph_at(high);
    if (!fits(cost(beyond), budget)) break;
    low = high;
    best = std::exchange(beyond, Graph());
    high = std::min(scale.most, 2 * high);
  }
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    Graph graph = graph_at(middle);
    const bool is_known = graph == best || graph == beyond;
    if (is_known ? graph == best : fits(cost(graph), budget)) {
      low = middle;
      best = std::move(graph);
    } else {
      high = middle;
      beyond = std::move(graph);
    }
  }
  return {config_at(shortest(low, [&](double factor) { return graph_at(factor) == best; })),
          cost(best)};
}

}  // namespace tbn::app
