// Finds the threshold by bisection, and spends what is left.
#include "search/rule.h"

#include <algorithm>
#include <numeric>

#include "graph/node_rows.h"
#include "tbn/error.h"

namespace tbn {
namespace {

using BitsOf = std::vector<std::vector<std::int64_t>>;  // of each layer's choices

BitsOf bits_of(const SearchSpace& space) {
  BitsOf bits;
  for (const SearchLayer& layer : space.layers) {
    const LayerDims dims = dims_of(space.graph, space.graph.node(layer.node));
    std::vector<std::int64_t>& own = bits.emplace_back();
    for (const WeightEncoding& choice : layer.choices) {
      own.push_back(encoding_of(choice).cost(choice, dims).bits);
    }
  }
  return bits;
}

Pick at_threshold(const BitsOf& bits, std::int64_t most) {
  Pick pick;
  for (const std::vector<std::int64_t>& own : bits) {
    const auto first = std::ranges::find_if(own, [&](std::int64_t b) { return b <= most; });
    pick.push_back(static_cast<int>(std::min(first, own.end() - 1) - own.begin()));
  }
  return pick;
}

// One choice dearer wherever that keeps the budget, until no layer can be.
void spend(Pick& pick, CostMeter& meter, const Budget& budget) {
  const SearchSpace& space = meter.space();
  std::vector<std::size_t> order(pick.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::less(), [&](std::size_t i) {
    const WeightShape shape = weight_shape(space.graph, space.graph.node(space.layers[i].node));
    return shape.outputs * shape.inputs;
  });
  for (bool any = true; any;) {
    any = false;
    for (const std::size_t i : order) {
      if (pick[i] == 0) continue;
      --pick[i];
      if (meter.fits(pick, budget)) {
        any = true;
      } else {
        ++pick[i];
      }
    }
  }
}

}  // namespace

Pick pick_by_size(CostMeter& meter, const Budget& budget) {
  const BitsOf bits = bits_of(meter.space());
  std::vector<std::int64_t> thresholds;
  for (const auto& own : bits) thresholds.insert(thresholds.end(), own.begin(), own.end());
  std::ranges::sort(thresholds);
  // The first at which the budget is broken.
  const auto broken = std::ranges::partition_point(
      thresholds, [&](std::int64_t most) { return meter.fits(at_threshold(bits, most), budget); });
  Pick pick =
      broken == thresholds.begin() ? meter.space().cheapest() : at_threshold(bits, *(broken - 1));
  if (!meter.fits(pick, budget)) {
    throw ConfigError(
        "no network of this space keeps all of the limits; raise one of them, or let layers choose "
        "larger p");
  }
  spend(pick, meter, budget);
  return pick;
}

}  // namespace tbn
