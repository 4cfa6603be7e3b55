// Instructions of the tensor cores and of copies to shared memory, which CUDA's language has no
// words for. Devices before compute capability 8.0 have none of them: kernels that use them are not
// launched there. Tests emulate them from the tables of the PTX ISA.
#pragma once

#include <cstdint>

#include "runtime/cuda/device/device_code.h"

namespace tbn::cuda::ptx {

#ifdef TBN_CUDA_EMULATED
using cuda_emulator::commit_copies;
using cuda_emulator::copy_async_16;
using cuda_emulator::copy_async_16_by_l1;
using cuda_emulator::exp2_flushed;
using cuda_emulator::ldmatrix_x4;
using cuda_emulator::ldmatrix_x4_trans;
using cuda_emulator::load_at_l2;
using cuda_emulator::mma_16x8x16;
using cuda_emulator::named_barrier;
using cuda_emulator::prefetch_l2;
using cuda_emulator::wait_copies;
#else

__device__ __forceinline__ unsigned shared_address(const void* pointer) {
  return static_cast<unsigned>(__cvta_generic_to_shared(pointer));
}

// d[16][8] += a[16][16] b[16][8] of a warp, in 32 bits. With g = lane / 4 and t = lane % 4, of a
// the registers hold [g][2t], [g + 8][2t], [g][2t + 8], [g + 8][2t + 8], each with its right
// neighbour; of b [2t][g] and [2t + 8][g], each with the one below; of d [g][2t], [g][2t + 1], [g +
// 8][2t], [g + 8][2t + 1].
template <class T>
__device__ __forceinline__ void mma_16x8x16(float (&d)[4], const std::uint32_t (&a)[4],
                                            std::uint32_t b0, std::uint32_t b1);
template <>
__device__ __forceinline__ void mma_16x8x16<__nv_bfloat16>(float (&d)[4],
                                                           const std::uint32_t (&a)[4],
                                                           std::uint32_t b0, std::uint32_t b1) {
#if __CUDA_ARCH__ >= 800
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
}
template <>
__device__ __forceinline__ void mma_16x8x16<__half>(float (&d)[4], const std::uint32_t (&a)[4],
                                                    std::uint32_t b0, std::uint32_t b1) {
#if __CUDA_ARCH__ >= 800
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
}

// Four matrices of 8 x 8 16-bit values from shared memory: lane i names row i % 8 of matrix i / 8,
// 16 aligned bytes; d[j] is of matrix j [g][2t] and its right neighbour, or with _trans [2t][g] and
// the one below.
__device__ __forceinline__ void ldmatrix_x4(std::uint32_t (&d)[4], const void* row) {
#if __CUDA_ARCH__ >= 800
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3])
               : "r"(shared_address(row))
               : "memory");
#endif
}
__device__ __forceinline__ void ldmatrix_x4_trans(std::uint32_t (&d)[4], const void* row) {
#if __CUDA_ARCH__ >= 800
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3])
               : "r"(shared_address(row))
               : "memory");
#endif
}

// Begins to copy 16 aligned bytes to shared memory, or zeros: then nothing is read.
__device__ __forceinline__ void copy_async_16(void* shared, const void* global, bool there) {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)),
               "l"(__cvta_generic_to_global(global)), "r"(there ? 16 : 0)
               : "memory");
#endif
}
// The same for what the multiprocessor will copy again soon.
__device__ __forceinline__ void copy_async_16_by_l1(void* shared, const void* global, bool there) {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.ca.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)),
               "l"(__cvta_generic_to_global(global)), "r"(there ? 16 : 0)
               : "memory");
#endif
}
// The thread's copies since the last group make a group.
__device__ __forceinline__ void commit_copies() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}
// Waits until at most the kPending latest groups of the thread are under way.
template <int kPending>
__device__ __forceinline__ void wait_copies() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
#endif
}

// As __syncthreads, for `threads` of a block, whole warps, that meet at barrier `name`, 1 to 15.
__device__ __forceinline__ void named_barrier(int name, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(name), "r"(threads) : "memory");
}

// 2^x, or 0 where that is less than the least normal number.
__device__ __forceinline__ float exp2_flushed(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

__device__ __forceinline__ void prefetch_l2(const void* global) {
  asm volatile("prefetch.global.L2 [%0];" ::"l"(__cvta_generic_to_global(global)));
}
// Past the multiprocessor's own cache, for what other blocks have written.
__device__ __forceinline__ float4 load_at_l2(const float4* address) { return __ldcg(address); }

#endif

}  // namespace tbn::cuda::ptx
