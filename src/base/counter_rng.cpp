// Keys, bounded draws and permutations of the counter-based generator.
#include "base/counter_rng.h"

#include <limits>
#include <numeric>
#include <utility>

#include "tbn/error.h"

namespace tbn {

CounterRng::CounterRng(std::uint64_t seed, RngUse use, std::uint64_t epoch, std::uint64_t index)
    : state_(seed) {
  // Each part goes through the mixer before the next is added, so that (seed 1, epoch 0) and
  // (seed 0, epoch 1) have nothing in common.
  for (const std::uint64_t part : {static_cast<std::uint64_t>(use), epoch, index}) {
    state_ = mix(state_ + kGolden) ^ part;
  }
  state_ = mix(state_ + kGolden);
}

std::uint32_t CounterRng::below(std::uint32_t limit) {
  TBN_CHECK(limit > 0, "CounterRng::below needs a positive limit");
  const std::uint32_t uneven = (0U - limit) % limit;  // 2^32 mod limit
  for (;;) {
    const std::uint64_t product = (next() >> 32) * limit;
    if (static_cast<std::uint32_t>(product) >= uneven) {
      return static_cast<std::uint32_t>(product >> 32);
    }
  }
}

std::vector<std::int64_t> random_permutation(std::int64_t count, CounterRng rng) {
  TBN_CHECK(count >= 0 && count < std::numeric_limits<std::uint32_t>::max(),
            "random_permutation: count out of range");
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[rng.below(static_cast<std::uint32_t>(i))]);
  }
  return order;
}

}  // namespace tbn
