// The rungs of the ladder, a file each.
#pragma once

#include "runtime/cuda/context.h"
#include "runtime/cuda/layer.h"

namespace tbn::cuda {

void run_plain(const LayerTask& task, Context& context);

}  // namespace tbn::cuda
