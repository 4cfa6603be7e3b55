// Random networks of a space near a budget, and evolution under it: mutation, crossing, repair.
// Everything drawn is a pure function of a seed, so that a search that is resumed draws the same.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "search/cost.h"

namespace tbn {

// How good a network is; `score` counts, and of equal ones `loss`.
struct Measured {
  double score = 0;  // higher is better
  double loss = 0;   // lower is better
};
bool is_better(const Measured& a, const Measured& b);

struct Scored {
  Pick pick;
  Measured measured;
};

// A random network whose predicted cost of the budget's first kind lies within a share of `near`
// of its limit, where one is found by moving single layers; any kind of the others.
Pick random_near(const CostMeter& meter, const Limit& limit, double near, std::uint64_t seed,
                 std::uint64_t number);

struct EvolutionOptions {
  std::int64_t population = 64;
  std::int64_t generations = 20;
  std::int64_t children = 16;  // of each generation
  std::uint64_t seed = 1;
};

// Measures a network that keeps the budget. Nothing: the search is to stop.
using MeasurePick = std::function<std::optional<Measured>(const Pick& pick)>;

// Asked before each draw, of which many may give nothing new to measure. True: the search is to
// stop.
using ShouldStop = std::function<bool()>;

// Begins with `start`, of which those that keep the budget stay as they are, and random networks up
// to `population`; each generation's children are
// crossings and mutations of the better half, and the best of all live on. Ends before its last
// generation where one bears nothing that was not measured yet. Returns the last population, best
// first, each network once. Nothing where `measure` or `should_stop` stopped it.
std::optional<std::vector<Scored>> evolve(CostMeter& meter, const Budget& budget,
                                          const std::vector<Pick>& start,
                                          const EvolutionOptions& options,
                                          const MeasurePick& measure,
                                          const ShouldStop& should_stop = {});

}  // namespace tbn
