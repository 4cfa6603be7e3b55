// The table of the layer kernels.
#include "runtime/cuda/kernels/layer_kernels.h"

namespace tbn::cuda {
namespace {

bool always(const LayerShape&, Precision, const Context&) { return true; }
std::int64_t nothing(const LayerShape&, Precision, const Context&) { return 0; }

constexpr LayerKernel kKernels[] = {
    {"plain", always, nothing, run_plain},
    {"expand", expand_computes, expand_workspace, run_expand},
    {"gemv", gemv_computes, nothing, run_gemv},
    {"stem", stem_computes, nothing, run_stem},
    {"mma", mma_computes, mma_workspace_bytes, run_mma},
    {"wgmma", wgmma_computes, wgmma_workspace_bytes, run_wgmma},
    {"wgmma_padded", wgmma_padded_computes, wgmma_padded_workspace_bytes, run_wgmma_padded},
};

}  // namespace

std::span<const LayerKernel> layer_kernels() { return kKernels; }

}  // namespace tbn::cuda

namespace tbn {

std::vector<std::string> cuda_layer_kernels() {
  std::vector<std::string> names;
  for (const cuda::LayerKernel& kernel : cuda::layer_kernels()) names.emplace_back(kernel.name);
  names.emplace_back("chain");
  return names;
}

}  // namespace tbn
