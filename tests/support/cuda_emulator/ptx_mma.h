// The instructions of runtime/cuda/device/ptx.h for the emulator, written from the PTX ISA's tables
// "Matrix fragments for mma.m16n8k16 with floating point type" and of ldmatrix. A copy that was
// begun is made when its thread waits for it, so that results show where a wait is missing.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <vector_types.h>

#include <cstdint>
#include <cstring>
#include <deque>
#include <limits>
#include <memory>
#include <stdexcept>
#include <vector>

#include "support/cuda_emulator/device.h"

namespace cuda_emulator {

// ---- products

namespace detail {

inline float widen(__half x) { return __half2float(x); }
inline float widen(__nv_bfloat16 x) { return __bfloat162float(x); }
// The lower half of a register is the element of the lower index.
template <class T>
float half_of(std::uint32_t packed, int i) {
  const auto bits = static_cast<std::uint16_t>(packed >> 16 * i);
  T value;
  std::memcpy(static_cast<void*>(&value), &bits, 2);
  return widen(value);
}

struct MmaOfLane {
  float* d;
  const std::uint32_t* a;
  std::uint32_t b[2];
};

template <class T>
void multiply_fragments(unsigned lanes, void** all) {
  if (lanes != ~0u) throw std::runtime_error("mma needs all lanes of its warp");
  float a[16][16], b[16][8];
  for (int lane = 0; lane < 32; ++lane) {
    const auto* own = static_cast<const MmaOfLane*>(all[lane]);
    const int group = lane >> 2, in_group = lane % 4;
    for (int i = 0; i < 8; ++i) {
      const int row = (i >= 0 && i < 2) || (i >= 4 && i < 6) ? group : group + 8;
      const int column = in_group * 2 + (i & 1) + (i < 4 ? 0 : 8);
      a[row][column] = half_of<T>(own->a[i / 2], i % 2);
    }
    for (int i = 0; i < 4; ++i) {
      const int row = in_group * 2 + (i & 1) + (i < 2 ? 0 : 8);
      b[row][group] = half_of<T>(own->b[i / 2], i % 2);
    }
  }
  for (int lane = 0; lane < 32; ++lane) {
    const auto* own = static_cast<const MmaOfLane*>(all[lane]);
    const int group = lane >> 2, in_group = lane % 4;
    for (int i = 0; i < 4; ++i) {
      const int row = i < 2 ? group : group + 8, column = in_group * 2 + (i & 1);
      float sum = 0;
      for (int k = 0; k < 16; ++k) sum += a[row][k] * b[k][column];
      own->d[i] += sum;
    }
  }
}

}  // namespace detail

template <class T>
void mma_16x8x16(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) {
  detail::MmaOfLane given{d, a, {b0, b1}};
  warp_together(~0u, &given, detail::multiply_fragments<T>);
}

// ---- loads of matrices

namespace detail {

struct LoadOfLane {
  const void* row;
  std::uint32_t* d;
};

template <bool kTransposed>
void load_matrices(unsigned lanes, void** all) {
  if (lanes != ~0u) throw std::runtime_error("ldmatrix needs all lanes of its warp");
  for (int matrix = 0; matrix < 4; ++matrix) {
    std::uint16_t values[8][8];
    for (int row = 0; row < 8; ++row) {
      const void* from = static_cast<const LoadOfLane*>(all[matrix * 8 + row])->row;
      if (reinterpret_cast<std::uintptr_t>(from) % 16 != 0) {
        throw std::runtime_error("ldmatrix: a row is not aligned to 16 bytes");
      }
      std::memcpy(values[row], from, 16);
    }
    for (int lane = 0; lane < 32; ++lane) {
      const int i = lane / 4, j = lane % 4 * 2;
      const std::uint32_t low = kTransposed ? values[j][i] : values[i][j];
      const std::uint32_t high = kTransposed ? values[j + 1][i] : values[i][j + 1];
      static_cast<const LoadOfLane*>(all[lane])->d[matrix] = high << 16 | low;
    }
  }
}

}  // namespace detail

inline void ldmatrix_x4(std::uint32_t (&d)[4], const void* row) {
  detail::LoadOfLane given{row, d};
  warp_together(~0u, &given, detail::load_matrices<false>);
}
inline void ldmatrix_x4_trans(std::uint32_t (&d)[4], const void* row) {
  detail::LoadOfLane given{row, d};
  warp_together(~0u, &given, detail::load_matrices<true>);
}

// ---- copies

namespace detail {

struct Copy {
  void* to;
  const void* from;  // null: zeros
};
struct PendingCopies {
  std::vector<Copy> open;
  std::deque<std::vector<Copy>> groups;
};

inline PendingCopies& pending_copies() {
  std::shared_ptr<void>& state = thread_state();
  if (state == nullptr) state = std::make_shared<PendingCopies>();
  return *static_cast<PendingCopies*>(state.get());
}

}  // namespace detail

inline void copy_async_16(void* shared, const void* global, bool there) {
  if (reinterpret_cast<std::uintptr_t>(shared) % 16 != 0 ||
      reinterpret_cast<std::uintptr_t>(global) % 16 != 0) {
    throw std::runtime_error("cp.async: an address is not aligned to 16 bytes");
  }
  std::memset(shared, 0xff, 16);  // what is there until the copy is made
  detail::pending_copies().open.push_back({shared, there ? global : nullptr});
}
inline void copy_async_16_by_l1(void* shared, const void* global, bool there) {
  copy_async_16(shared, global, there);
}
inline void commit_copies() {
  detail::PendingCopies& pending = detail::pending_copies();
  pending.groups.push_back(std::exchange(pending.open, {}));
}
template <int kPending>
void wait_copies() {
  auto& groups = detail::pending_copies().groups;
  for (; groups.size() > kPending; groups.pop_front()) {
    for (const detail::Copy& copy : groups.front()) {
      if (copy.from == nullptr) {
        std::memset(copy.to, 0, 16);
      } else {
        std::memcpy(copy.to, copy.from, 16);
      }
    }
  }
}

// ---- others

inline float exp2_flushed(float x) {
  const float y = std::exp2(x);
  return y < std::numeric_limits<float>::min() ? 0 : y;
}
inline void prefetch_l2(const void*) {}
inline float4 load_at_l2(const float4* address) { return *address; }

}  // namespace cuda_emulator
