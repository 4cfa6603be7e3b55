// Ways to choose: the knapsack against every bundle there is, choices by size, and evolution on
// networks whose best is known.
#include <algorithm>
#include <cmath>
#include <set>

#include "base/counter_rng.h"
#include "search/evolution.h"
#include "search/knapsack.h"
#include "search/rule.h"
#include "support/catch.h"

using namespace tbn;

namespace {

std::vector<std::vector<Offer>> random_offers(std::uint64_t seed, std::size_t layers) {
  CounterRng rng(seed);
  std::vector<std::vector<Offer>> all(layers);
  for (auto& offers : all) {
    const std::uint32_t count = 1 + rng.below(4);
    for (std::uint32_t i = 0; i < count; ++i) {
      offers.push_back({static_cast<std::int64_t>(rng.below(40)) - 10, rng.below(30) / 8.0 - 1});
    }
  }
  return all;
}

// All bundles, one offer per layer.
std::vector<Bundle> every_bundle(const std::vector<std::vector<Offer>>& layers) {
  std::vector<Bundle> all = {{}};
  for (const auto& offers : layers) {
    std::vector<Bundle> longer;
    for (const Bundle& bundle : all) {
      for (std::size_t o = 0; o < offers.size(); ++o) {
        Bundle next = bundle;
        next.pick.push_back(static_cast<int>(o));
        next.cost += offers[o].cost;
        next.loss += offers[o].loss;
        longer.push_back(next);
      }
    }
    all = std::move(longer);
  }
  return all;
}

Graph network() {
  GraphBuilder b("net");
  Value x = b.input({8, 8, 8});
  for (const auto& [name, channels] : {std::pair{"a", 32}, {"b", 64}, {"c", 64}, {"d", 128}}) {
    x = x.conv(channels, {.kernel = 3, .weights = tiled(4)}).named(name).batch_norm().relu();
  }
  return b.finish(x.global_avg_pool().linear(10, {.weights = uniform(8)}).named("head"));
}

const SearchSpace& space() {
  static const SearchSpace made = search_space(network(), {});
  return made;
}
CostMeter& meter() {
  static CostMeter made(space(), FileFrame{}, false);
  return made;
}

// A loss with a known best: every layer has a weight of its own.
Measured loss_of(const Pick& pick) {
  double loss = 0;
  for (std::size_t i = 0; i < pick.size(); ++i) {
    loss += std::pow(pick[i], 1.5) * static_cast<double>(1 + (3 * i) % 5);
  }
  return {-loss, loss};
}

Pick best_by_enumeration(const Budget& budget) {
  std::vector<std::vector<Offer>> choices;
  for (const SearchLayer& layer : space().layers) choices.emplace_back(layer.choices.size());
  Pick best;
  for (const Bundle& bundle : every_bundle(choices)) {
    if (!meter().fits(bundle.pick, budget)) continue;
    if (best.empty() || is_better(loss_of(bundle.pick), loss_of(best))) best = bundle.pick;
  }
  return best;
}

}  // namespace

TEST_CASE("the knapsack's front is that of every bundle there is") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    const auto offers = random_offers(seed, 1 + seed % 6);
    const std::vector<Bundle> all = every_bundle(offers);
    const std::vector<Bundle> front = knapsack_front(offers);
    for (std::size_t i = 0; i < front.size(); ++i) {
      const Bundle& own = front[i];
      if (i > 0) CHECK((own.cost > front[i - 1].cost && own.loss < front[i - 1].loss));
      // It is what its pick says.
      const auto same = std::ranges::find(all, own.pick, &Bundle::pick);
      REQUIRE(same != all.end());
      CHECK(same->cost == own.cost);
      CHECK(same->loss == own.loss);
    }
    // Under every budget the best of all is the front's last below it.
    for (std::int64_t most = -70; most <= 200; ++most) {
      double best = INFINITY;
      for (const Bundle& each : all) {
        if (each.cost <= most) best = std::min(best, each.loss);
      }
      double found = INFINITY;
      for (const Bundle& each : front) {
        if (each.cost <= most) found = each.loss;
      }
      CHECK(found == best);
    }
  }
}

TEST_CASE("a front with a limit stays within it, and keeps its ends") {
  std::vector<std::vector<Offer>> offers;  // whose dearer ones are all worth something
  for (std::int64_t i = 0; i < 12; ++i) {
    const auto size = static_cast<double>(i);
    offers.push_back({{0, 0}, {3 + i, -1 - 0.37 * size}, {7 + 3 * i, -1.6 - 0.5 * size}});
  }
  const std::vector<Bundle> exact = knapsack_front(offers);
  const std::vector<Bundle> thin = knapsack_front(offers, 10);
  CHECK(exact.size() > 11);
  CHECK(thin.size() <= 11);
  CHECK(thin.front().cost == exact.front().cost);
  for (const Bundle& bundle : thin) {
    std::int64_t cost = 0;
    for (std::size_t i = 0; i < offers.size(); ++i) {
      cost += offers[i][static_cast<std::size_t>(bundle.pick[i])].cost;
    }
    CHECK(cost == bundle.cost);
  }
}

TEST_CASE("the front of no layers is nothing at no cost") {
  const std::vector<Bundle> front = knapsack_front({});
  REQUIRE(front.size() == 1);
  CHECK(front[0].cost == 0);
}

TEST_CASE("an offer that gives no number is taken only where nothing else can be paid for") {
  for (const double none :
       {static_cast<double>(NAN), static_cast<double>(INFINITY), static_cast<double>(-INFINITY)}) {
    CAPTURE(none);
    const std::vector<std::vector<Offer>> offers = {{{0, 0}, {-5, none}, {-8, 2}, {-9, none}},
                                                    {{0, 0}, {-4, none}, {-3, 1}}};
    const std::vector<Bundle> front = knapsack_front(offers);
    CHECK(std::ranges::is_sorted(front, {}, &Bundle::cost));
    for (const Bundle& bundle : front) CHECK(!std::isnan(bundle.loss));
    // Of those with numbers alone, and the cheapest of all.
    std::vector<std::pair<std::int64_t, double>> finite;
    for (const Bundle& bundle : front) {
      if (std::isfinite(bundle.loss)) finite.emplace_back(bundle.cost, bundle.loss);
    }
    CHECK(finite ==
          std::vector<std::pair<std::int64_t, double>>{{-11, 3}, {-8, 2}, {-3, 1}, {0, 0}});
    CHECK(front.front().cost == -13);
    CHECK(std::isinf(front.front().loss));
    CHECK(front.size() == 5);
  }
}

TEST_CASE("explained variance is that of a straight line") {
  const std::vector<double> x = {1, 2, 3, 4};
  CHECK(explained_variance(x, std::vector<double>{3, 5, 7, 9}) == Approx(1));
  CHECK(explained_variance(x, std::vector<double>{9, 7, 5, 3}) == Approx(1));
  CHECK(explained_variance(x, std::vector<double>{1, -1, -1, 1}) == Approx(0).margin(1e-12));
  CHECK(explained_variance(x, std::vector<double>{2, 2, 2, 2}) == 0);
}

TEST_CASE("by size, larger layers never take a dearer choice, and nothing more fits") {
  const std::int64_t least = meter().exact(space().cheapest())[CostKind::kFile];
  const std::int64_t most = meter().exact(space().dearest())[CostKind::kFile];
  for (std::int64_t bytes = least; bytes < most; bytes += (most - least) / 17) {
    CAPTURE(bytes);
    const Budget budget = {{CostKind::kFile, bytes}};
    const Pick pick = pick_by_size(meter(), budget);
    CHECK(fits(meter().exact(pick), budget));
    CHECK(pick[0] <= pick[1]);
    CHECK(pick[1] <= pick[2]);
    CHECK(pick[2] <= pick[3]);
    for (std::size_t i = 0; i < pick.size(); ++i) {
      Pick dearer = pick;
      if (--dearer[i] >= 0) CHECK(!fits(meter().exact(dearer), budget));
    }
  }
}

TEST_CASE("by size, every limit is kept") {
  const Costs least = meter().exact(space().cheapest());
  const Costs most = meter().exact(space().dearest());
  const Budget budget = {{CostKind::kFile, most[CostKind::kFile] - 1},
                         {CostKind::kMacs, (least[CostKind::kMacs] + most[CostKind::kMacs]) / 2}};
  CHECK(fits(meter().exact(pick_by_size(meter(), budget)), budget));
}

TEST_CASE("random networks lie near the budget, and a number is one network") {
  const Costs least = meter().exact(space().cheapest());
  const Costs most = meter().exact(space().dearest());
  const Limit limit{CostKind::kFile, (least[CostKind::kFile] + most[CostKind::kFile]) / 2};
  std::set<Pick> met;
  for (std::uint64_t number = 0; number < 50; ++number) {
    const Pick pick = random_near(meter(), limit, 0.15, 7, number);
    const auto cost = static_cast<double>(meter().predicted(pick)[CostKind::kFile]);
    CHECK(std::abs(cost / static_cast<double>(limit.most) - 1) < 0.25);
    CHECK(pick == random_near(meter(), limit, 0.15, 7, number));
    met.insert(pick);
  }
  CHECK(met.size() > 10);
}

TEST_CASE("evolution keeps the budget, measures nothing twice and comes to the best there is") {
  const Costs least = meter().exact(space().cheapest());
  const Costs most = meter().exact(space().dearest());
  const Budget budget = {
      {CostKind::kFile, (2 * least[CostKind::kFile] + most[CostKind::kFile]) / 3}};
  std::set<Pick> met;
  const EvolutionOptions options{.population = 24, .generations = 20, .children = 8, .seed = 3};
  const MeasurePick measure = [&](const Pick& pick) -> std::optional<Measured> {
    CHECK(met.insert(pick).second);
    CHECK(fits(meter().exact(pick), budget));
    return loss_of(pick);
  };
  const auto found = evolve(meter(), budget, {pick_by_size(meter(), budget)}, options, measure);
  REQUIRE(found);
  REQUIRE(!found->empty());
  CHECK(found->front().measured.loss == loss_of(best_by_enumeration(budget)).loss);
  CHECK(std::ranges::is_sorted(
      *found, [](const Scored& a, const Scored& b) { return is_better(a.measured, b.measured); }));
  // The same draws again.
  met.clear();
  const auto again = evolve(meter(), budget, {pick_by_size(meter(), budget)}, options, measure);
  REQUIRE(again);
  CHECK(std::ranges::equal(*found, *again, {}, &Scored::pick, &Scored::pick));
}

TEST_CASE("evolution stops where the measurement does, and ends where a space is small") {
  const Budget budget = {{CostKind::kFile, meter().exact(space().dearest())[CostKind::kFile] - 1}};
  int measured = 0;
  const auto stopped = evolve(meter(), budget, {}, {}, [&](const Pick&) -> std::optional<Measured> {
    if (++measured > 5) return std::nullopt;
    return Measured{1, 1};
  });
  CHECK(!stopped);
  CHECK(measured == 6);

  GraphBuilder b("tiny");
  const Graph graph = b.finish(b.input({64}).linear(8, {.weights = tiled(2)}).named("fc"));
  const SearchSpace small = search_space(graph, {});
  CostMeter costs(small, {}, false);
  const Budget all = {{CostKind::kBits, costs.exact(small.dearest())[CostKind::kBits]}};
  const auto found =
      evolve(costs, all, {}, {.generations = 3}, [](const Pick& pick) { return loss_of(pick); });
  REQUIRE(found);
  CHECK(std::ssize(*found) <= 2);
}

namespace {

// What evolution asks for, and how often.
struct Asked {
  int measured = 0;
  int stops = 0;
  std::optional<std::vector<Scored>> found;
};

// In a space of four networks, under a budget that all of them keep; stops at that question.
Asked evolve_few(const EvolutionOptions& options, int stop_at) {
  GraphBuilder b("few");
  const Value x = b.input({64}).linear(8, {.weights = tiled(2)}).named("one").relu();
  const SearchSpace few =
      search_space(b.finish(x.linear(8, {.weights = tiled(2)}).named("two")), {});
  CostMeter costs(few, {}, false);
  const Budget all = {{CostKind::kBits, costs.exact(few.dearest())[CostKind::kBits]}};
  Asked asked;
  asked.found = evolve(
      costs, all, {few.cheapest()}, options,
      [&](const Pick& pick) -> std::optional<Measured> {
        ++asked.measured;
        return loss_of(pick);
      },
      [&] { return ++asked.stops == stop_at; });
  return asked;
}

}  // namespace

TEST_CASE("evolution ends with the first generation that bears nothing") {
  // The start stays as it is; every draw becomes the dearest network, which is repaired into no
  // other.
  const Asked asked = evolve_few({.population = 8, .generations = 100000, .children = 2}, -1);
  REQUIRE(asked.found);
  CHECK(asked.measured == 2);
  CHECK(asked.found->size() == 2);
  // The start, the draws of the population, and those of a generation.
  CHECK(asked.stops < 1 + 20 * 8 + 20 * 2 + 4);
}

TEST_CASE("evolution hears of a stop wherever it draws, also where it meets nothing new") {
  const EvolutionOptions options{.population = 8, .generations = 100000, .children = 2};
  for (const int stop_at : {1, 2, 100, 1 + 20 * 8 + 3, 1 + 20 * 8 + 20}) {
    CAPTURE(stop_at);
    const Asked asked = evolve_few(options, stop_at);
    CHECK(!asked.found);
    CHECK(asked.stops == stop_at);
  }
}

TEST_CASE("a network that gives no numbers is worse than any that does") {
  const double nan = NAN;
  CHECK(is_better({1, 5}, {nan, 0}));
  CHECK(!is_better({nan, 0}, {1, 5}));
  CHECK(!is_better({nan, 0}, {nan, 1}));
  CHECK(is_better({1, 4}, {1, 5}));
  CHECK(is_better({1, 5}, {1, nan}));
  CHECK(!is_better({1, nan}, {1, 5}));
  CHECK(!is_better({1, nan}, {1, nan}));
}
