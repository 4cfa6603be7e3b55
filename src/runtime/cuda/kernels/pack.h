// Sixteen bytes of values, which a thread loads and stores at once.
#pragma once

#include "runtime/cuda/device/device_code.h"

namespace tbn::cuda {

template <class T>
inline constexpr int kPackValues = static_cast<int>(16 / sizeof(T));

template <class T, int kSize = kPackValues<T>>
struct alignas(sizeof(T) * kSize) Pack {
  T values[kSize];
};

// The pack that holds values [at, at + kSize); `at` is a multiple of kSize.
template <class T, int kSize = kPackValues<T>>
__device__ __forceinline__ Pack<T, kSize> load_pack(const T* values, std::int64_t at) {
  return *reinterpret_cast<const Pack<T, kSize>*>(values + at);
}
template <class T, int kSize>
__device__ __forceinline__ void store_pack(T* values, std::int64_t at, const Pack<T, kSize>& pack) {
  *reinterpret_cast<Pack<T, kSize>*>(values + at) = pack;
}

}  // namespace tbn::cuda
