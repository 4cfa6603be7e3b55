// What every file with kernels includes: CUDA's language and its 16-bit floats. Tests compile the
// same files for the host, where tests/support/cuda_emulator stands in for a device.
#pragma once

#ifndef TBN_CUDA_EMULATED
#include <cuda_runtime.h>
#endif
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

namespace tbn::cuda {

inline constexpr int kWarp = 32;

// The dynamic shared memory of a block, the only shared memory that kernels use.
#ifdef TBN_CUDA_EMULATED
template <class T>
T* shared_memory() {
  return static_cast<T*>(cuda_emulator::shared_memory());
}
#else
extern __shared__ __align__(1024) unsigned char dynamic_shared_memory[];
template <class T>
__device__ __forceinline__ T* shared_memory() {
  return reinterpret_cast<T*>(dynamic_shared_memory);
}
#endif

__device__ __forceinline__ float to_float(float x) { return x; }
__device__ __forceinline__ float to_float(__half x) { return __half2float(x); }
__device__ __forceinline__ float to_float(__nv_bfloat16 x) { return __bfloat162float(x); }

// The nearest value of the type that activations are held in; halves beyond their range become
// infinite.
template <class T>
__device__ __forceinline__ T from_float(float x);
template <>
__device__ __forceinline__ float from_float<float>(float x) {
  return x;
}
template <>
__device__ __forceinline__ __half from_float<__half>(float x) {
  return __float2half_rn(x);
}
template <>
__device__ __forceinline__ __nv_bfloat16 from_float<__nv_bfloat16>(float x) {
  return __float2bfloat16_rn(x);
}

// The first index of this thread in a loop over all values, and how far it steps.
__device__ __forceinline__ std::int64_t first_index() {
  return std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
}
__device__ __forceinline__ std::int64_t index_step() {
  return std::int64_t{gridDim.x} * blockDim.x;
}

// The sum over the lanes of a warp, in every lane.
__device__ __forceinline__ float warp_sum(float x) {
  for (int offset = kWarp / 2; offset > 0; offset /= 2) x += __shfl_xor_sync(~0u, x, offset);
  return x;
}
__device__ __forceinline__ float warp_max(float x) {
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    x = fmaxf(x, __shfl_xor_sync(~0u, x, offset));
  }
  return x;
}

}  // namespace tbn::cuda
