// Times the training step of a configuration beside that of its float twin, on random batches. No
// LibTorch type in this header, so that tools compile quickly.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/quartiles.h"
#include "config/config.h"

namespace tbn {

struct StepTimes {
  Quartiles ours_us;
  Quartiles rival_us;  // the same network with dense float weights, in the same executor
  std::optional<Quartiles> fp32_us;  // ours without bfloat16, where `precision` is bf16
  TrainPrecision precision = TrainPrecision::kFp32;  // of both
  // Bytes of parameters, gradients and optimiser state.
  std::int64_t ours_bytes = 0;
  std::int64_t rival_bytes = 0;
  std::string device;
  bool recorded = false;  // steps were replayed from a CUDA graph, of both
};

// `rounds` times a step of each in turn, after `warm_up` of each; on a GPU each time is the mean of
// ten steps in a row, so that starting one hides behind the other as in training. Reads no data.
// Throws ConfigError as training does.
StepTimes time_steps(const Config& config, int rounds, int warm_up = 3);

}  // namespace tbn
