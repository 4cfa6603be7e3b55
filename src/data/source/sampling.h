// Which samples of a split are used: those held out of training for validation, and those that a
// limit leaves. All of it follows from split_seed, the number of samples and their classes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/counter_rng.h"
#include "data/source/dataset.h"
#include "data/source/options.h"

namespace tbn {

// data.validation where a configuration does not say it.
inline constexpr std::int64_t kUsualValidation = 5000;

// 0 .. size - 1.
std::vector<std::int64_t> all_indices(const Dataset& data);

// `wanted` of 0 .. strata.size() - 1, in rising order: of each stratum the share that it has of the
// whole, and at least one sample where there are as many wanted as strata. A larger sample of the
// same generator holds the smaller one.
std::vector<std::int64_t> stratified_sample(std::span<const std::int64_t> strata,
                                            std::int64_t wanted, CounterRng rng);

// Of the samples `among` of `data`, those that a limit keeps by data.limits; 0 and anything beyond
// their number keep all. `split` keeps the choices of the splits apart.
std::vector<std::int64_t> limited(const Dataset& data, std::vector<std::int64_t> among,
                                  std::int64_t limit, Split split, const DataOptions& options);

// The set of the samples that a limit keeps.
std::shared_ptr<const Dataset> limited(std::shared_ptr<const Dataset> data, std::int64_t limit,
                                       Split split, const DataOptions& options);

// Training and validation samples, each in the order of the data.
struct Partition {
  std::vector<std::int64_t> train;
  std::vector<std::int64_t> validation;
};

// Holds data.validation samples out of `data`, then limits the rest. Which samples are held out
// depends on split_seed and their number alone. Throws ConfigError where fewer than one is left.
Partition hold_out(const Dataset& data, const DataOptions& options);

}  // namespace tbn
