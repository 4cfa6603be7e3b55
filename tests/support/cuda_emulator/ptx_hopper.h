// The instructions of src/runtime/cuda/device/ptx_hopper.h and ptx_wgmma.h without a device,
// written from the PTX ISA and not from the kernels. What the device does some time later is done
// as late as it may be, and what it may already have overwritten is overwritten at once:
//
// A bulk copy fills its destination with bytes that are no numbers, and copies when a thread waits
// at its barrier. Products of matrices read registers and shared memory, and write sums, only in
// the wgmma_wait() that asks for them.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cuda.h>

#include <cstdint>
#include <type_traits>

#include "support/cuda_emulator/device.h"

namespace cuda_emulator::hopper {

using Barrier = std::uint64_t;

// Of the block's shared memory as the device counts: from 0.
unsigned shared_address(const void* shared);

void barrier_init(Barrier* barrier, unsigned arrivals);
inline void fence_barrier_init() {}
void barrier_arrive(Barrier* barrier);
void barrier_arrive_expecting(Barrier* barrier, unsigned bytes);
void barrier_wait(Barrier* barrier, unsigned parity);

struct WindowPlace {
  int c, w, h, n;
  unsigned short tap_w, tap_h;
};
void copy_box(void* to, const CUtensorMap* map, Barrier* barrier, int x, int y);
void copy_windows(void* to, const CUtensorMap* map, Barrier* barrier, const WindowPlace& at);

inline unsigned and_xor(unsigned x, unsigned mask, unsigned flip) { return (x & mask) ^ flip; }

template <int kRegisters>
void keep_registers() {
  static_assert(kRegisters >= 24 && kRegisters <= 256 && kRegisters % 8 == 0);
}
template <int kRegisters>
void take_registers() {
  static_assert(kRegisters >= 24 && kRegisters <= 256 && kRegisters % 8 == 0);
}
inline void named_barrier(int name, int threads) { cuda_emulator::named_barrier(name, threads); }
inline float4 load_shared_cache(const float4* address) { return *address; }

// One m64nNk16 as a thread issued it.
struct Product {
  float* sums;
  const unsigned* a;
  std::uint64_t b;
  int columns;
  bool bf16;
};
void issue(const Product& product);
void wgmma_fence();
void wgmma_commit();
void wait_for_groups(int left);

template <int kLeft>
void wgmma_wait() {
  wait_for_groups(kLeft);
}
template <int kCount>
void hold_sums(float (&)[kCount]) {}
template <class T, int kColumns>
void wgmma(float (&d)[kColumns / 2], const unsigned (&a)[4], std::uint64_t b) {
  issue({d, a, b, kColumns, std::is_same_v<T, __nv_bfloat16>});
}

}  // namespace cuda_emulator::hopper
