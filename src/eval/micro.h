// The int8 form for microcontrollers over whole data sets: the integers that exported C computes.
#pragma once

#include <cstdint>

#include "data/source/dataset.h"
#include "eval/metrics.h"
#include "micro/integer.h"

namespace tbn {

// The samples must be bytes and fit the network (check_data_fits).
MetricSums evaluate_micro(const micro::IntegerNetwork& network, const Dataset& data, int threads,
                          std::int64_t batch_size, int loader_threads = 1);

}  // namespace tbn
