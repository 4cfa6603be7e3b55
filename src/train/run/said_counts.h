// Counts that are reported whenever they have grown during training: samples that cannot be read,
// and steps that ran outside of the CUDA graph.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "data/source/reader.h"
#include "train/step/step_runner.h"

namespace tbn {

class SaidCounts {
 public:
  // Both must stay where they are.
  SaidCounts(const DataSplits& data, const StepRunner& runner) : data_(data), runner_(runner) {}

  // A sentence for each split that has more of them than when it was last asked.
  std::vector<std::string> skipped();
  // A sentence where there are more than when it was last asked, or nothing.
  std::vector<std::string> misfits();

 private:
  const DataSplits& data_;
  const StepRunner& runner_;
  std::array<std::int64_t, 3> skipped_{};
  std::int64_t misfits_ = 0;
};

}  // namespace tbn
