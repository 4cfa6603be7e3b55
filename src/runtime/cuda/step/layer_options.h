// How the kernels of layers are chosen.
#pragma once

#include <string>

#include "runtime/cuda/device/context.h"
#include "tbn/cuda.h"

namespace tbn::cuda {

struct LayerOptions {
  Precision precision = Precision::kBf16;
  bool tune = true;    // time the kernels at a batch size's first prepare()
  std::string kernel;  // use this one wherever it computes the layer
};

}  // namespace tbn::cuda
