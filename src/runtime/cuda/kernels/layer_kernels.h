// The rungs of the ladder, a file each.
#pragma once

#include "runtime/cuda/device/context.h"
#include "runtime/cuda/layer/layer.h"

namespace tbn::cuda {

void run_plain(const LayerTask& task, Context& context);

bool expand_computes(const LayerShape& shape, Precision precision, const Context& context);
std::int64_t expand_workspace(const LayerShape& shape, Precision precision, const Context& context);
void run_expand(const LayerTask& task, Context& context);

bool gemv_computes(const LayerShape& shape, Precision precision, const Context& context);
void run_gemv(const LayerTask& task, Context& context);

bool stem_computes(const LayerShape& shape, Precision precision, const Context& context);
void run_stem(const LayerTask& task, Context& context);

bool mma_computes(const LayerShape& shape, Precision precision, const Context& context);
std::int64_t mma_workspace_bytes(const LayerShape& shape, Precision precision,
                                 const Context& context);
void run_mma(const LayerTask& task, Context& context);

bool wgmma_computes(const LayerShape& shape, Precision precision, const Context& context);
std::int64_t wgmma_workspace_bytes(const LayerShape& shape, Precision precision,
                                   const Context& context);
void run_wgmma(const LayerTask& task, Context& context);

bool wgmma_padded_computes(const LayerShape& shape, Precision precision, const Context& context);
std::int64_t wgmma_padded_workspace_bytes(const LayerShape& shape, Precision precision,
                                          const Context& context);
void run_wgmma_padded(const LayerTask& task, Context& context);

}  // namespace tbn::cuda
