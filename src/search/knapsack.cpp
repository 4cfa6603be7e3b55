// Sets of partial bundles that no other partial bundle beats, layer by layer.
#include "search/knapsack.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tbn {
namespace {

// A partial bundle: its last offer, and the bundle of the layers before.
struct State {
  std::int64_t cost = 0;
  double loss = 0;
  std::size_t before = 0;
  int offer = 0;
};

// Those that none before them equals or beats.
void keep_unbeaten(std::vector<State>& states) {
  std::ranges::stable_sort(states, [](const State& a, const State& b) {
    return a.cost != b.cost ? a.cost < b.cost : a.loss < b.loss;
  });
  std::size_t kept = 0;
  for (const State& state : states) {
    if (kept > 0 && state.loss >= states[kept - 1].loss) continue;
    states[kept++] = state;
  }
  states.resize(kept);
}

// The last of each range of cost has its least loss; the cheapest of all stays.
void thin(std::vector<State>& states, std::size_t most) {
  if (states.size() <= most) return;
  const std::int64_t first = states.front().cost;
  const std::int64_t width =
      (states.back().cost - first) / static_cast<std::int64_t>(std::max<std::size_t>(most, 2) - 1) +
      1;
  std::vector<State> kept = {states.front()};
  for (std::size_t i = 1; i < states.size(); ++i) {
    const bool is_last = i + 1 == states.size() ||
                         (states[i + 1].cost - first) / width != (states[i].cost - first) / width;
    if (is_last) kept.push_back(states[i]);
  }
  states = std::move(kept);
}

}  // namespace

std::vector<Bundle> knapsack_front(std::span<const std::vector<Offer>> layers, std::size_t most) {
  std::vector<std::vector<State>> steps = {{State{}}};
  for (const std::vector<Offer>& offers : layers) {
    const std::vector<State>& before = steps.back();
    std::vector<State> states;
    states.reserve(before.size() * offers.size());
    for (std::size_t b = 0; b < before.size(); ++b) {
      for (std::size_t o = 0; o < offers.size(); ++o) {
        const double loss = std::isfinite(offers[o].loss) ? offers[o].loss : INFINITY;
        states.push_back(
            {before[b].cost + offers[o].cost, before[b].loss + loss, b, static_cast<int>(o)});
      }
    }
    keep_unbeaten(states);
    thin(states, most);
    steps.push_back(std::move(states));
  }
  std::vector<Bundle> front;
  for (const State& last : steps.back()) {
    Bundle bundle{.pick = std::vector<int>(layers.size()), .cost = last.cost, .loss = last.loss};
    const State* state = &last;
    for (std::size_t i = layers.size(); i > 0; --i) {
      bundle.pick[i - 1] = state->offer;
      state = &steps[i - 1][state->before];
    }
    front.push_back(std::move(bundle));
  }
  return front;
}

double explained_variance(std::span<const double> predictions, std::span<const double> values) {
  const auto count = static_cast<double>(values.size());
  const auto mean = [&](std::span<const double> of) {
    return std::accumulate(of.begin(), of.end(), 0.0) / count;
  };
  const double x = mean(predictions);
  const double y = mean(values);
  double xx = 0, xy = 0, yy = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    xx += (predictions[i] - x) * (predictions[i] - x);
    xy += (predictions[i] - x) * (values[i] - y);
    yy += (values[i] - y) * (values[i] - y);
  }
  return xx > 0 && yy > 0 ? xy * xy / (xx * yy) : 0;
}

}  // namespace tbn
