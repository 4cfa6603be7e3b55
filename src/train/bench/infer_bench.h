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
};

// Reads no data. Throws ConfigError as training does.
InferenceCase inference_case(const Config& config, std::int64_t batch, int threads);

// The network's float twin on such an input, by the quickest form that LibTorch has for it on
// `threads` threads. Reads no data. Throws InternalError where a form does not compute what the
// twin computes.
Contender processor_rival(const Config& config, std::int64_t batch, int threads);

// The float twin, as quick as LibTorch runs it on train.device in train.precision: norms
// folded, channels last and, on a GPU, all of it replayed from a CUDA graph. Each run waits for the
// device. Reads no data. Throws ConfigError as training does, and InternalError where it does not
// compute what the twin computes on the CPU.
Contender device_rival(const Config& config, std::int64_t batch);

}  // namespace tbn
