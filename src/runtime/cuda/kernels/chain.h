// Linear layers one after another in one launch.
#pragma once

#include <cstddef>
#include <span>

#include "runtime/cuda/device/context.h"
#include "runtime/cuda/layer/layer.h"

namespace tbn::cuda {

inline constexpr std::size_t kMostChained = 12;

struct ChainLink {
  LayerShape shape;
  LayerData data;  // x is the y of the link before
};

struct ChainTask {
  std::span<const ChainLink> links;
  Precision precision = Precision::kBf16;
  unsigned* counters = nullptr;  // two, zero before and after
  cudaStream_t stream = nullptr;
};

// Whether layers of these shapes, each reading what the one before it makes, run so.
bool chain_computes(std::span<const LayerShape> shapes, Precision precision,
                    const Context& context);
void run_chain(const ChainTask& task, const Context& context);

}  // namespace tbn::cuda
