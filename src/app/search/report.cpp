// Tables and JSON of spaces and costs.
#include "app/search/report.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/shown.h"
#include "base/text.h"

namespace tbn::app {
namespace {

std::string number(std::int64_t value) { return grouped(static_cast<std::uint64_t>(value)); }

// "tiled p 2 4 8", "uniform bits 8 6 4"
std::string choices_text(const SearchLayer& layer) {
  const Encoding& room = encoding_of(layer.choices.front());
  std::string text(room.words().back());
  for (const Field& field : room.fields()) {
    if (field.is_main) text += fmt::format(" {}", field.key);
  }
  for (const WeightEncoding& choice : layer.choices) {
    text += fmt::format(" {}", main_setting(choice));
  }
  return text;
}

// Of all picks.
double networks(const SearchSpace& space) {
  double count = 1;
  for (const SearchLayer& layer : space.layers) count *= static_cast<double>(layer.choices.size());
  return count;
}

}  // namespace

std::string costs_text(const Costs& costs) {
  std::string text;
  for (const CostKind kind : kCostKinds) {
    if (costs[kind] == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", number(costs[kind]), unit_of(kind));
  }
  return text;
}

std::string budget_text(const Budget& budget) {
  std::string text;
  for (const Limit& limit : budget) {
    text +=
        fmt::format("{}{} {}", text.empty() ? "" : ", ", number(limit.most), unit_of(limit.kind));
  }
  return text;
}

Json costs_json(const Costs& costs) {
  Json json = Json::object();
  for (const CostKind kind : kCostKinds) {
    if (costs[kind] != 0) json[option_of(kind)] = costs[kind];
  }
  return json;
}

std::string space_text(CostMeter& meter) {
  const SearchSpace& space = meter.space();
  std::size_t width = 0;
  for (const SearchLayer& layer : space.layers) width = std::max(width, layer.name.size());
  std::string text;
  for (const SearchLayer& layer : space.layers) {
    text += fmt::format("{:<{}}  {}\n", shown(layer.name), width, choices_text(layer));
  }
  return text + fmt::format("{:.3g} networks\nleast: {}\nmost:  {}\n", networks(space),
                            costs_text(meter.exact(space.cheapest())),
                            costs_text(meter.exact(space.dearest())));
}

Json space_json(CostMeter& meter) {
  const SearchSpace& space = meter.space();
  Json::Array layers;
  for (const SearchLayer& layer : space.layers) {
    Json::Array choices;
    for (const WeightEncoding& choice : layer.choices) choices.emplace_back(main_setting(choice));
    layers.push_back(
        Json::object({{"name", layer.name},
                      {"encoding", std::string(encoding_of(layer.choices.front()).words().back())},
                      {"choices", Json::array(std::move(choices))}}));
  }
  return Json::object({{"layers", Json::array(std::move(layers))},
                       {"networks", networks(space)},
                       {"least", costs_json(meter.exact(space.cheapest()))},
                       {"most", costs_json(meter.exact(space.dearest()))}});
}

}  // namespace tbn::app
