// Small constant arrays of single ops on the device: scales, norms, embeddings.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/cuda/device/memory.h"

namespace tbn::cuda {

class Tables {
 public:
  // A copy on the device, which lives as long as this.
  const float* keep(std::span<const float> values) {
    copies_.push_back(Buffer::copy_of(values, "the weights"));
    bytes_ += copies_.back().bytes();
    return copies_.back().get<float>();
  }
  std::int64_t bytes() const { return bytes_; }

 private:
  std::vector<Buffer> copies_;
  std::int64_t bytes_ = 0;
};

}  // namespace tbn::cuda
