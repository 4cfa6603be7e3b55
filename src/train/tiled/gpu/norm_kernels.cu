// One thread per map; the work is that of norm_scalars.h.
#include "train/tiled/gpu/norm_scalars.h"

namespace tbn::gpu {
namespace {

constexpr int kMapsPerBlock = 64;

__device__ std::int64_t own_map() {
  return static_cast<std::int64_t>(blockIdx.x) * kMapsPerBlock + threadIdx.x;
}

template <class T>
__global__ void norm_factors_kernel(NormFactors work) {
  if (own_map() < work.shape.maps) norm_factors_of<T>(work, own_map());
}

__global__ void update_running_kernel(RunningUpdate work) {
  if (own_map() < work.shape.maps) update_running_of(work, own_map());
}

__global__ void norm_gradients_kernel(NormGradients work) {
  if (own_map() < work.shape.maps) norm_gradients_of(work, own_map());
}

template <class Work>
void launch(void (*kernel)(Work), const Work& work, void* stream) {
  const auto blocks = static_cast<unsigned>((work.shape.maps + kMapsPerBlock - 1) / kMapsPerBlock);
  kernel<<<blocks, kMapsPerBlock, 0, static_cast<cudaStream_t>(stream)>>>(work);
}

}  // namespace

void norm_factors(Element element, const NormFactors& work, void* stream) {
  element == Element::kFloat ? launch(norm_factors_kernel<float>, work, stream)
                             : launch(norm_factors_kernel<Bfloat16>, work, stream);
}

void update_running(const RunningUpdate& work, void* stream) {
  launch(update_running_kernel, work, stream);
}

void norm_gradients(const NormGradients& work, void* stream) {
  launch(norm_gradients_kernel, work, stream);
}

}  // namespace tbn::gpu
