// Runs a packed network on data, and on the test vectors that its file carries. No LibTorch.
#pragma once

#include <cstdint>
#include <memory>

#include "data/dataset.h"
#include "eval/metrics.h"
#include "tbn/runtime.h"

namespace tbn {

// The samples must fit the network (check_data_fits).
MetricSums evaluate_packed(std::shared_ptr<const Network> network, const Dataset& data,
                           const SessionOptions& options, std::int64_t batch_size,
                           int loader_threads = 1);

struct VerifyResult {
  std::int64_t vectors = 0;
  double largest_difference = 0;  // of a logit
  double tolerance = 0;           // 1e-3 of the largest logit in the file, at least 1e-4
  bool same_predictions = true;   // classification: the largest logit
  // Not so for a difference that is not a number.
  bool ok() const { return same_predictions && largest_difference <= tolerance; }
};

// Throws DataError for a file without test vectors, and where its prepared weights are not those of
// its layers.
VerifyResult verify_packed(std::shared_ptr<const Network> network, const SessionOptions& options);

}  // namespace tbn
