// Bisects the factor on a network's widths.
#include "app/search/twin.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "app/train/future_size.h"
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
        "--twin: model.type {} has no channels or hidden widths of several layers and no width, by "
        "which a network is made narrower",
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

// The networks between the narrowest and the widest one.
class Candidates {
 public:
  Candidates(const Config& config, const SampleSpec& samples, const ChannelStatistics* statistics,
             const FileFrame& frame, const Budget& budget)
      : binary_(with_one_bit(config)),
        scale_(scale_of(config)),
        samples_(samples),
        statistics_(statistics),
        frame_(frame),
        budget_(budget) {}

  double least() const { return scale_.least; }
  double most() const { return scale_.most; }
  Config config_at(double factor) const {
    Config changed = binary_;
    scale_.apply(changed, factor);
    return changed;
  }
  // Empty where there is no such network: a layer would be too wide.
  Graph graph_at(double factor) const {
    try {
      return training_graph(config_at(factor), samples_, statistics_);
    } catch (const ConfigError&) {
      return {};
    }
  }
  Costs cost(const Graph& graph) const { return cost_of(graph, frame_, needs_c(budget_)); }
  // The costs of a network that is wider than one that keeps the budget, where it keeps it too.
  // One that cannot be made, packed in memory, or run where the budget asks for it, does not.
  std::optional<Costs> kept(const Graph& graph) const {
    if (graph.nodes.empty() || !too_large_to_pack(graph).empty()) return {};
    try {
      const Costs costs = cost(graph);
      if (fits(costs, budget_)) return costs;
    } catch (const ConfigError&) {  // microcontrollers do not run it
      return {};
    } catch (const DataError&) {  // beyond the limits of packed files
      return {};
    }
    return {};
  }

 private:
  Config binary_;
  Scale scale_;
  const SampleSpec& samples_;
  const ChannelStatistics* statistics_;
  const FileFrame& frame_;
  const Budget& budget_;
};

}  // namespace

Twin twin_of(const Config& config, const SampleSpec& samples, const ChannelStatistics* statistics,
             const FileFrame& frame, const Budget& budget) {
  constexpr int kHalvings = 40;
  const Candidates candidates(config, samples, statistics, frame, budget);
  double low = candidates.least();  // keeps the budget
  // As it is, so that its errors are told.
  Graph best = training_graph(candidates.config_at(low), samples, statistics);
  Costs costs = candidates.cost(best);
  if (!fits(costs, budget)) {
    const Limit& limit = budget.front();
    throw ConfigError(fmt::format("--{}: the narrowest 1-bit twin takes {} {}, more than {}",
                                  option_of(limit.kind), number(costs[limit.kind]),
                                  unit_of(limit.kind), number(limit.most)));
  }
  Graph beyond;  // at `high`, where it breaks the budget
  const auto keeps = [&](Graph graph) {
    if (graph == best) return true;
    const std::optional<Costs> kept = graph == beyond ? std::nullopt : candidates.kept(graph);
    if (kept) costs = *kept;
    (kept ? best : beyond) = std::move(graph);
    return kept.has_value();
  };
  // By doubling first: networks far beyond the budget would take long to pack.
  double high = std::max(low, std::min(candidates.most(), 1.0 / 64));
  while (high < candidates.most() && keeps(candidates.graph_at(high))) {
    low = high;
    high = std::min(candidates.most(), 2 * high);
  }
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    (keeps(candidates.graph_at(middle)) ? low : high) = middle;
  }
  const auto is_same = [&](double factor) { return candidates.graph_at(factor) == best; };
  return {candidates.config_at(shortest(low, is_same)), costs};
}

}  // namespace tbn::app
