// Runs a packed network on data, and on the test vectors that its file carries. No LibTorch.
#pragma once

#include <cstdint>
#include <span>

#include "base/function_ref.h"
#include "data/source/dataset.h"
#include "eval/metrics.h"
#include "tbn/runtime.h"

namespace tbn {

// Whatever runs the network, as Session::run does.
using PackedRun =
    FunctionRef<void(std::span<const float> input, std::int64_t batch, std::span<float> output)>;

// The samples must fit the network (check_data_fits). Those of a series are standardised; a network
// with units (graph/passes/units.h) is given original values, and its forecasts are standardised
// again, so that errors are the same whether the graph or the rule standardises.
MetricSums evaluate_packed(const Network& network, PackedRun run, const Dataset& data,
                           std::int64_t batch_size, int loader_threads = 1);

struct VerifyResult {
  std::int64_t vectors = 0;
  double largest_difference = 0;  // of a logit; with units, in deviations
  double tolerance = 0;           // for a difference
  bool same_predictions = true;   // classification: the largest logit
  // Not so for a difference that is not a number.
  bool ok() const { return same_predictions && largest_difference <= tolerance; }
};

// Differences may be `relative` of the largest logit in the file, and a tenth of it absolute.
// Throws DataError for a file without test vectors or with some that are not finite, where its
// prepared weights are not those of its layers, and where an input prepared here is not what its
// rule says; NonFiniteError where the network gives what is not finite.
VerifyResult verify_packed(const Network& network, PackedRun run, double relative = 1e-3);

}  // namespace tbn
