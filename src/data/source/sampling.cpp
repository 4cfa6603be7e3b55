// The seeded validation split, and limits: the first samples, or a share of each class.
#include "data/source/sampling.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "base/counted.h"
#include "tbn/error.h"

namespace tbn {
namespace {

void check_validation(const DataOptions& options, std::int64_t train) {
  if (options.validation >= 0 && options.validation < train) return;
  throw ConfigError(fmt::format(
      "data.validation: cannot hold out {}{} of the {} of '{}'; it must be 0 to {}, such as "
      "data.validation={}",
      counted(options.validation, "sample"),
      options.validation == kUsualValidation ? ", the default," : "",
      counted(train, "training sample"), options.name, train - 1, train / 10));
}

// Windows of a series follow one another and have no classes.
bool by_class(const Dataset& data, const DataOptions& options) {
  return options.limits == LimitRule::kClass && data.spec().task.task != Task::kForecasting;
}

}  // namespace

std::vector<std::int64_t> all_indices(const Dataset& data) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(data.size()));
  std::iota(all.begin(), all.end(), std::int64_t{0});
  return all;
}

std::vector<std::int64_t> stratified_sample(std::span<const std::int64_t> strata,
                                            std::int64_t wanted, CounterRng rng) {
  const auto count = static_cast<std::int64_t>(strata.size());
  TBN_CHECK(wanted >= 0 && wanted <= count, "stratified_sample: no more samples than there are");
  std::map<std::int64_t, std::int64_t> sizes;
  for (const std::int64_t stratum : strata) ++sizes[stratum];
  // Sample k of a stratum of n, in random order, is due when the share (k + 1/2) / n of all
  // strata is wanted; the first of each is due at once.
  std::vector<std::pair<double, std::int64_t>> due;
  due.reserve(strata.size());
  std::map<std::int64_t, std::int64_t> seen;
  for (const std::int64_t index : random_permutation(count, rng)) {
    const std::int64_t stratum = strata[static_cast<std::size_t>(index)];
    const std::int64_t place = seen[stratum]++;
    const auto size = static_cast<double>(sizes[stratum]);
    due.emplace_back(place == 0 ? 0.0 : (static_cast<double>(place) + 0.5) / size, index);
  }
  // What is due at the same time stays in random order.
  std::stable_sort(due.begin(), due.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::int64_t> sample;
  sample.reserve(wanted);
  for (std::int64_t i = 0; i < wanted; ++i) {
    sample.push_back(due[static_cast<std::size_t>(i)].second);
  }
  std::sort(sample.begin(), sample.end());
  return sample;
}

std::vector<std::int64_t> limited(const Dataset& data, std::vector<std::int64_t> among,
                                  std::int64_t limit, Split split, const DataOptions& options) {
  if (limit == 0 || limit >= static_cast<std::int64_t>(among.size())) return among;
  if (!by_class(data, options)) {
    among.resize(static_cast<std::size_t>(limit));
    return among;
  }
  std::vector<std::int64_t> strata;
  strata.reserve(among.size());
  for (const std::int64_t index : among) strata.push_back(data.stratum(index));
  const CounterRng rng(options.split_seed, RngUse::kLimit, static_cast<std::uint64_t>(split));
  std::vector<std::int64_t> kept = stratified_sample(strata, limit, rng);
  for (std::int64_t& place : kept) place = among[static_cast<std::size_t>(place)];
  return kept;
}

std::shared_ptr<const Dataset> limited(std::shared_ptr<const Dataset> data, std::int64_t limit,
                                       Split split, const DataOptions& options) {
  if (limit == 0 || limit >= data->size()) return data;
  auto kept = limited(*data, all_indices(*data), limit, split, options);
  return std::make_shared<Subset>(std::move(data), std::move(kept));
}

Partition hold_out(const Dataset& data, const DataOptions& options) {
  check_validation(options, data.size());
  std::vector<std::int64_t> order = all_indices(data);
  if (options.validation > 0) {
    order = random_permutation(data.size(), CounterRng(options.split_seed, RngUse::kSplit));
  }
  const auto cut = order.begin() + options.validation;
  std::sort(order.begin(), cut);
  std::sort(cut, order.end());
  return {.train = limited(data, {cut, order.end()}, options.train_limit, Split::kTrain, options),
          .validation = {order.begin(), cut}};
}

}  // namespace tbn
