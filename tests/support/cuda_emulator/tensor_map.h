// The descriptions of tensors that the bulk copies of Hopper devices take (cuTensorMapEncode*).
#pragma once

#include <cuda.h>

#include <cstdint>

namespace cuda_emulator {

// The emulated function of the driver, null where there is none of that name.
void* driver_function(const char* name);

// What an emulated CUtensorMap holds, innermost dimension first.
struct TensorMap {
  enum Kind : std::uint32_t { kTiled = 0x7711, kWindows = 0x7722 };
  const unsigned char* tensor;
  std::uint64_t strides[3];  // bytes, of dimensions 1, 2, 3
  std::uint32_t sizes[4];
  std::uint32_t steps[4];
  std::uint32_t box[2];  // kTiled: of two dimensions; kWindows: channels, pixels
  std::int8_t lower[2], upper[2];
  std::uint32_t rank;
  std::uint32_t element_bytes;
  std::uint32_t swizzle;  // CUtensorMapSwizzle
  Kind kind;
};
static_assert(sizeof(TensorMap) <= sizeof(CUtensorMap));

// Throws where the object was not made by one of the functions.
TensorMap decode(const CUtensorMap& map);

}  // namespace cuda_emulator
