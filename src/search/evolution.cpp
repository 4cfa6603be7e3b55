// Draws, crosses, repairs and selects.
#include "search/evolution.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "base/counter_rng.h"

namespace tbn {
namespace {

// Draws of a purpose have an epoch of their own: those of generation g begin at kChildren + g.
constexpr std::uint64_t kNear = 0;
constexpr std::uint64_t kFirst = 1;
constexpr std::uint64_t kChildren = 2;

std::size_t below(CounterRng& rng, std::size_t limit) {
  return rng.below(static_cast<std::uint32_t>(limit));
}

Pick random_pick(const SearchSpace& space, CounterRng& rng) {
  Pick pick;
  pick.reserve(space.layers.size());
  for (const SearchLayer& layer : space.layers) {
    pick.push_back(static_cast<int>(below(rng, layer.choices.size())));
  }
  return pick;
}

std::vector<std::size_t> shuffled(std::size_t count, CounterRng& rng) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[below(rng, i)]);
  return order;
}

int last_choice(const SearchSpace& space, std::size_t layer) {
  return static_cast<int>(space.layers[layer].choices.size()) - 1;
}

// One random layer a choice cheaper (step 1) or dearer (-1); false where none can be.
bool move_one(Pick& pick, const SearchSpace& space, int step, CounterRng& rng) {
  for (const std::size_t i : shuffled(pick.size(), rng)) {
    const int next = pick[i] + step;
    if (next < 0 || next > last_choice(space, i)) continue;
    pick[i] = next;
    return true;
  }
  return false;
}

// Random layers become cheaper until the network keeps the budget, and then dearer where it still
// does. False where it never kept it.
bool repair(Pick& pick, CostMeter& meter, const Budget& budget, CounterRng& rng) {
  while (!meter.fits(pick, budget)) {
    if (!move_one(pick, meter.space(), 1, rng)) return false;
  }
  for (const std::size_t i : shuffled(pick.size(), rng)) {
    if (pick[i] == 0) continue;
    --pick[i];
    if (!meter.fits(pick, budget)) ++pick[i];
  }
  return true;
}

Pick child_of(const std::vector<Scored>& parents, const SearchSpace& space, CounterRng& rng) {
  const std::size_t half = std::max<std::size_t>(1, parents.size() / 2);
  Pick pick = parents[below(rng, half)].pick;
  const Pick& other = parents[below(rng, half)].pick;
  if (rng.coin()) {
    for (std::size_t i = 0; i < pick.size(); ++i) {
      if (rng.coin()) pick[i] = other[i];
    }
  }
  const std::size_t mutations = 1 + below(rng, 2);
  for (std::size_t k = 0; k < mutations; ++k) {
    const std::size_t i = below(rng, pick.size());
    pick[i] = static_cast<int>(below(rng, space.layers[i].choices.size()));
  }
  return pick;
}

void keep_best(std::vector<Scored>& all, std::int64_t most) {
  std::ranges::stable_sort(
      all, [](const Scored& a, const Scored& b) { return is_better(a.measured, b.measured); });
  if (std::ssize(all) > most) all.resize(static_cast<std::size_t>(most));
}

}  // namespace

bool is_better(const Measured& a, const Measured& b) {
  const auto loss_of = [](const Measured& m) { return std::isnan(m.loss) ? INFINITY : m.loss; };
  if (std::isnan(a.score) || std::isnan(b.score)) return !std::isnan(a.score);
  return a.score != b.score ? a.score > b.score : loss_of(a) < loss_of(b);
}

Pick random_near(const CostMeter& meter, const Limit& limit, double near, std::uint64_t seed,
                 std::uint64_t number) {
  CounterRng rng(seed, RngUse::kSearch, kNear, number);
  Pick pick = random_pick(meter.space(), rng);
  const auto most = static_cast<double>(limit.most);
  const auto cost = [&] { return static_cast<double>(meter.predicted(pick)[limit.kind]); };
  while (cost() > most * (1 + near) && move_one(pick, meter.space(), 1, rng)) {
  }
  while (cost() < most * (1 - near) && move_one(pick, meter.space(), -1, rng)) {
  }
  return pick;
}

std::optional<std::vector<Scored>> evolve(CostMeter& meter, const Budget& budget,
                                          const std::vector<Pick>& start,
                                          const EvolutionOptions& options,
                                          const MeasurePick& measure,
                                          const ShouldStop& should_stop) {
  // Small spaces run out of networks that were not met yet.
  constexpr std::int64_t kMostTries = 20;
  std::vector<Scored> all;
  std::set<Pick> met;
  bool stopped = false;
  const auto goes_on = [&] {
    stopped = stopped || (should_stop && should_stop());
    return !stopped;
  };
  // Of a network that keeps the budget.
  const auto take = [&](Pick pick) {
    if (!met.insert(pick).second) return false;
    const std::optional<Measured> measured = measure(pick);
    stopped = !measured;
    if (measured) all.push_back({std::move(pick), *measured});
    return true;
  };
  for (std::size_t i = 0; i < start.size() && goes_on(); ++i) {
    CounterRng rng(options.seed, RngUse::kSearch, kFirst, i);
    Pick pick = start[i];
    const bool fits = meter.fits(pick, budget);
    if (fits || repair(pick, meter, budget, rng)) take(std::move(pick));
  }
  const std::int64_t tries = kMostTries * options.population;
  for (std::int64_t i = 0; i < tries && std::ssize(all) < options.population && goes_on(); ++i) {
    CounterRng rng(options.seed, RngUse::kSearch, kFirst,
                   start.size() + static_cast<std::uint64_t>(i));
    Pick pick = random_pick(meter.space(), rng);
    if (repair(pick, meter, budget, rng)) take(std::move(pick));
  }
  keep_best(all, options.population);
  bool bears = !all.empty();
  for (std::int64_t g = 0; g < options.generations && bears && goes_on(); ++g) {
    const std::vector<Scored> parents = all;
    const std::int64_t most = kMostTries * options.children;
    std::int64_t born = 0;
    for (std::int64_t i = 0; i < most && born < options.children && goes_on(); ++i) {
      CounterRng rng(options.seed, RngUse::kSearch, kChildren + static_cast<std::uint64_t>(g),
                     static_cast<std::uint64_t>(i));
      Pick child = child_of(parents, meter.space(), rng);
      if (repair(child, meter, budget, rng) && take(std::move(child))) ++born;
    }
    bears = born > 0;
    keep_best(all, options.population);
  }
  if (stopped) return std::nullopt;
  return all;
}

}  // namespace tbn
