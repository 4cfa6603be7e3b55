// The int8 form for microcontrollers over whole data sets: the integers that exported C computes.
#pragma once

#include <cstdint>

#include "data/source/dataset.h"
#include "eval/metrics.h"
#include "micro/integer.h"

namespace tbn {

// One example: `bytes` [C, H, W] or whatever the network takes, `outputs` its outputs as real
// numbers.
void run_micro(const micro::IntegerNetwork& network, const std::uint8_t* bytes, float* outputs);

// The samples must be bytes and fit the network (check_data_fits).
MetricSums evaluate_micro(const micro::IntegerNetwork& network, const Dataset& data, int threads,
                          std::int64_t batch_size, int loader_threads = 1);

}  // namespace tbn
