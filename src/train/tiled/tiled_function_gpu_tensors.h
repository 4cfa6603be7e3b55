// Tensors as the pointers that the kernels take; for builds with CUDA alone.
#pragma once

#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/torch.h>

#include "tbn/error.h"
#include "train/tiled/gpu/kernels.h"

namespace tbn {

inline gpu::Element element_of(const torch::Tensor& t) {
  return t.scalar_type() == torch::kFloat32 ? gpu::Element::kFloat : gpu::Element::kBfloat16;
}

inline gpu::MapShape shape_of(const torch::Tensor& u, std::int64_t copies) {
  const std::int64_t maps = u.dim() == 4 ? u.size(1) : u.size(-1);
  return {u.numel() / maps, copies, maps};
}

inline bool is_aligned(const torch::Tensor& t) {
  return reinterpret_cast<std::uintptr_t>(t.const_data_ptr()) % gpu::kAlignment == 0;
}

// A part of another tensor may begin anywhere; its copy does not.
inline torch::Tensor aligned(const torch::Tensor& t) {
  return !t.defined() || is_aligned(t) ? t : t.clone();
}

inline const void* pointer(const torch::Tensor& t) {
  return t.defined() ? t.const_data_ptr() : nullptr;
}

// Scalars that go with maps, dense in memory; null where undefined.
class Scalars {
 public:
  explicit Scalars(const torch::Tensor& t) : t_(t.defined() ? aligned(t.contiguous()) : t) {
    TBN_CHECK(!t.defined() || t.scalar_type() == torch::kFloat32, "scalars of maps are float32");
  }
  const float* data() const { return t_.defined() ? t_.const_data_ptr<float>() : nullptr; }

 private:
  torch::Tensor t_;
};

// Two sums in parts, [2, parts, copies, maps]; added, they are float64 [2, copies, maps].
inline torch::Tensor parts_of(const torch::Tensor& u, const gpu::MapShape& shape) {
  return at::empty({2, gpu::sum_parts(shape), shape.copies, shape.maps},
                   u.options().dtype(torch::kFloat32));
}
inline torch::Tensor added(const torch::Tensor& parts) {
  return parts.sum(1, false, torch::kFloat64);
}
inline float* half(torch::Tensor& parts, std::int64_t which) {
  return parts.mutable_data_ptr<float>() + which * parts.stride(0);
}

// Launches on the current stream of u's device.
template <class Launch>
void on_device_of(const torch::Tensor& u, Launch launch) {
  const c10::cuda::CUDAGuard guard(u.device());
  launch(static_cast<void*>(c10::cuda::getCurrentCUDAStream(u.device().index()).stream()));
  C10_CUDA_KERNEL_LAUNCH_CHECK();
}

}  // namespace tbn
