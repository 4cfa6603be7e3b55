// A configuration's network as the benchmark of inference needs it: packed, with an input and the
// right answer, beside its float twin in LibTorch. No LibTorch type in this header.
#pragma once

#include <cstdint>
#include <vector>

#include "base/contender.h"
#include "config/config.h"
#include "tbn/model.h"

namespace tbn {

struct InferenceCase {
  Model packed;                // of random weights
  std::vector<float> input;    // [batch, ...], random
  std::vector<double> wanted;  // [batch, ...]: the tiled network's answer in float64
  Contender rival;             // its float twin on such an input, on `threads` threads
};

// Reads no data. Throws ConfigError as training does, and InternalError where a form of the twin
// does not compute what the twin computes.
InferenceCase inference_case(const Config& config, std::int64_t batch, int threads);

}  // namespace tbn
