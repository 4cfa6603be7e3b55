// Instructions of Hopper devices (sm_90a) that CUDA C++ has no names for: barriers in shared
// memory, bulk copies of tensors that complete on them, and how warps share registers. Matrix
// products are in ptx_wgmma.h. Sections are those of the PTX ISA, "Parallel Synchronization and
// Communication" and "Data Movement"; tests replace each by
// tests/support/cuda_emulator/ptx_hopper.h.
#pragma once

#include <cuda.h>

#include "runtime/cuda/device/device_code.h"

#ifdef TBN_CUDA_EMULATED
namespace tbn::cuda {
using namespace cuda_emulator::hopper;
}
#else
namespace tbn::cuda {

// An object mbarrier: a phase ends when all arrivals and all bytes that it expects have come.
using Barrier = std::uint64_t;

__device__ __forceinline__ unsigned shared_address(const void* shared) {
  return static_cast<unsigned>(__cvta_generic_to_shared(shared));
}

__device__ __forceinline__ void barrier_init(Barrier* barrier, unsigned arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)),
               "r"(arrivals)
               : "memory");
}

// Makes initialised barriers visible to the units that copy; then the block synchronises.
__device__ __forceinline__ void fence_barrier_init() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

__device__ __forceinline__ void barrier_arrive(Barrier* barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(barrier))
               : "memory");
}

// Arrives, and makes the phase wait for that number of bytes of copies.
__device__ __forceinline__ void barrier_arrive_expecting(Barrier* barrier, unsigned bytes) {
  asm volatile(
      "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(barrier)),
      "r"(bytes)
      : "memory");
}

// Waits for the end of the phase of such a parity: the first has parity 0, and before it ends the
// one of parity 1 counts as over.
__device__ __forceinline__ void barrier_wait(Barrier* barrier, unsigned parity) {
  asm volatile(
      "{\n"
      ".reg .pred done;\n"
      "again:\n"
      "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
      "@done bra over;\n"
      "bra again;\n"
      "over:\n"
      "}" ::"r"(shared_address(barrier)),
      "r"(parity)
      : "memory");
}

// Copies the box of a tiled map that begins at element x of row y; beyond the tensor come zeros.
__device__ __forceinline__ void copy_box(void* to, const CUtensorMap* map, Barrier* barrier, int x,
                                         int y) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
      " [%0], [%1, {%3, %4}], [%2];" ::"r"(shared_address(to)),
      "l"(map), "r"(shared_address(barrier)), "r"(x), "r"(y)
      : "memory");
}

// A place in the images [n][h][w][c] of a map in mode im2col, and a tap of the window there.
struct WindowPlace {
  int c, w, h, n;
  unsigned short tap_w, tap_h;
};

// Copies the map's channels of its pixels (see im2col_map) from a place on, each at the tap of its
// own window.
__device__ __forceinline__ void copy_windows(void* to, const CUtensorMap* map, Barrier* barrier,
                                             const WindowPlace& at) {
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes"
      " [%0], [%1, {%3, %4, %5, %6}], [%2], {%7, %8};" ::"r"(shared_address(to)),
      "l"(map), "r"(shared_address(barrier)), "r"(at.c), "r"(at.w), "r"(at.h), "r"(at.n),
      "h"(at.tap_w), "h"(at.tap_h)
      : "memory");
}

// (x & mask) ^ flip in one instruction, which the compiler makes two where it knows both constants.
__device__ __forceinline__ unsigned and_xor(unsigned x, unsigned mask, unsigned flip) {
  constexpr int kTable = (0xF0 & 0xCC) ^ 0xAA;
  unsigned y;
  asm("lop3.b32 %0, %1, %2, %3, %4;" : "=r"(y) : "r"(x), "r"(mask), "r"(flip), "n"(kTable));
  return y;
}

// Gives registers of this warpgroup's threads back, or takes such; all its warps call it.
template <int kRegisters>
__device__ __forceinline__ void keep_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters));
}
template <int kRegisters>
__device__ __forceinline__ void take_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters));
}

// A barrier of `threads` threads of the block under a name from 1 to 15.
__device__ __forceinline__ void named_barrier(int name, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(name), "r"(threads) : "memory");
}

// From the cache that all multiprocessors share: what other blocks wrote during this launch.
__device__ __forceinline__ float4 load_shared_cache(const float4* address) {
  return __ldcg(address);
}

}  // namespace tbn::cuda
#endif
