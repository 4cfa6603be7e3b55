// The best choices of all layers under every budget at once, where costs and losses add up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tbn {

// What a layer's choice costs, and how much worse the network is with it.
struct Offer {
  std::int64_t cost = 0;
  double loss = 0;
};

struct Bundle {
  std::vector<int> pick;  // of each layer, the number of its offer
  std::int64_t cost = 0;
  double loss = 0;
};

// The bundles, one offer per layer, that no other beats in cost and loss, by ascending cost; of
// equal ones the first by pick. A loss that is not finite counts as infinite. Exact unless there
// are more than `most` of them: then, layer by layer, `most` ranges of cost keep their best one
// each.
std::vector<Bundle> knapsack_front(std::span<const std::vector<Offer>> layers,
                                   std::size_t most = 1 << 16);

// How much of the variance of `values` a straight line over `predictions` explains: the squared
// correlation; 0 where either does not vary.
double explained_variance(std::span<const double> predictions, std::span<const double> values);

}  // namespace tbn
