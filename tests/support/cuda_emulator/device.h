// CUDA's language for a C++ compiler, so that tests run kernels without a device. Included before
// everything else in files with kernels (see tests/CMakeLists.txt).
//
// A thread of the device is a fiber. The fibers of a block take turns: one runs until it waits at a
// barrier or for other threads of its warp. Blocks run one after another, those of cooperative
// launches together. What real devices do at once is thus done in one of many possible orders, or
// in several that are drawn at random (set_shuffled_threads of stream.h): wrong indices, missing
// barriers, deadlocks and reads beyond the ends of device memory are found; races between blocks
// mostly are not.
#pragma once

#define TBN_CUDA_EMULATED 1

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#undef __launch_bounds__
#define __launch_bounds__(...)
#undef __grid_constant__
#define __grid_constant__
#undef __forceinline__
#define __forceinline__ inline
#ifndef __restrict__
#define __restrict__ __restrict
#endif

namespace cuda_emulator {

// ---- the running thread

struct Place {
  uint3 thread;
  uint3 block;
  dim3 threads;
  dim3 blocks;
};
const Place& place();
void* shared_memory();
int lane();                             // of the warp
int thread_of_block();                  // x fastest
std::shared_ptr<void>& thread_state();  // the running thread's own, for emulated instructions

// Lets the other threads run until `ready` is true. All of a launch waiting is an error.
void wait_until(const std::function<bool()>& ready);

// Threads that do something together: those of `lanes` of this warp. The last to arrive calls
// `compute` with what each gave, indexed by lane; then all go on.
void warp_together(unsigned lanes, void* given, void (*compute)(unsigned lanes, void** given));
// The same of `count` threads that meet under a name of their own, indexed by their place among
// them in the block's order (threads / count rounded down is part of the name).
void group_together(int name, int count, void* given, void (*compute)(int count, void** given));

void block_barrier();                     // all threads of the block that still run
void named_barrier(int name, int count);  // bar.sync name, count

// What instructions emulated elsewhere remember of a block.
std::shared_ptr<void>& block_extension();

// ---- launches

// Runs at once, or is recorded where the stream is being captured.
void launch(dim3 blocks, dim3 threads, std::size_t shared_bytes, bool cooperative,
            cudaStream_t stream, const char* name, std::function<void()> thread);

template <class T>
T shuffle(unsigned lanes, T value, int source_lane) {
  struct Given {
    T value;
    int source;
    T result;
  } given{value, source_lane, value};
  warp_together(lanes, &given, [](unsigned members, void** all) {
    for (int i = 0; i < 32; ++i) {
      if ((members >> i & 1u) == 0) continue;
      auto* own = static_cast<Given*>(all[i]);
      if (own->source >= 0 && own->source < 32 && (members >> own->source & 1u) != 0) {
        own->result = static_cast<Given*>(all[own->source])->value;
      }
    }
  });
  return given.result;
}

}  // namespace cuda_emulator

#define threadIdx (::cuda_emulator::place().thread)
#define blockIdx (::cuda_emulator::place().block)
#define blockDim (::cuda_emulator::place().threads)
#define gridDim (::cuda_emulator::place().blocks)

inline void __syncthreads() { cuda_emulator::block_barrier(); }
inline void __syncwarp(unsigned lanes = ~0u) {
  cuda_emulator::warp_together(lanes, nullptr, [](unsigned, void**) {});
}
template <class T>
T __shfl_sync(unsigned lanes, T value, int source) {
  return cuda_emulator::shuffle(lanes, value, source & 31);
}
template <class T>
T __shfl_xor_sync(unsigned lanes, T value, int mask) {
  return cuda_emulator::shuffle(lanes, value, cuda_emulator::lane() ^ mask);
}
template <class T>
T __shfl_down_sync(unsigned lanes, T value, unsigned delta) {
  return cuda_emulator::shuffle(lanes, value, cuda_emulator::lane() + static_cast<int>(delta));
}
inline unsigned __ballot_sync(unsigned lanes, int predicate) {
  struct Given {
    int predicate;
    unsigned result;
  } given{predicate, 0};
  cuda_emulator::warp_together(lanes, &given, [](unsigned members, void** all) {
    unsigned votes = 0;
    for (unsigned i = 0; i < 32; ++i) {
      if ((members >> i & 1u) != 0 && static_cast<Given*>(all[i])->predicate) votes |= 1u << i;
    }
    for (unsigned i = 0; i < 32; ++i) {
      if ((members >> i & 1u) != 0) static_cast<Given*>(all[i])->result = votes;
    }
  });
  return given.result;
}

template <class T>
T __ldg(const T* address) {
  return *address;
}
template <class T>
T __ldcg(const T* address) {
  return *address;
}
template <class T>
T atomicAdd(T* address, T value) {
  const T before = *address;
  *address = before + value;
  return before;
}
template <class T>
T atomicExch(T* address, T value) {
  const T before = *address;
  *address = value;
  return before;
}
inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __nanosleep(unsigned) {
  bool looked = false;
  cuda_emulator::wait_until([&looked] { return std::exchange(looked, true); });
}

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz(static_cast<unsigned>(x)); }
inline float __uint_as_float(unsigned x) { return __builtin_bit_cast(float, x); }
inline unsigned __float_as_uint(float x) { return __builtin_bit_cast(unsigned, x); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __expf(float x) { return std::exp(x); }
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
using std::max;
using std::min;
