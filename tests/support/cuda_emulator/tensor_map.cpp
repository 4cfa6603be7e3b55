// Descriptions of tensors for bulk copies, checked as the documentation of the driver's functions
// says ("Tensor Map Object Management"); of what it allows only what tbn uses.
#include "support/cuda_emulator/tensor_map.h"

#include <cstring>
#include <stdexcept>
#include <string>

#include "support/cuda_emulator/stream.h"

namespace cuda_emulator {
namespace {

bool refused = false;

constexpr std::uint32_t kSwizzleBytes[] = {1 << 20, 32, 64, 128};

struct Tensor {
  CUtensorMapDataType type;
  cuuint32_t rank;
  void* address;
  const cuuint64_t* sizes;
  const cuuint64_t* strides;
  const cuuint32_t* steps;
  CUtensorMapInterleave interleave;
  CUtensorMapSwizzle swizzle;
};

std::uint32_t bytes_of(CUtensorMapDataType type) {
  return type == CU_TENSOR_MAP_DATA_TYPE_FLOAT16 || type == CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 ? 2
                                                                                             : 0;
}

bool allowed(const Tensor& tensor) {
  constexpr std::uint64_t kAlignment = 16, kMostStride = 1ull << 40, kMostSize = 1ull << 32;
  constexpr cuuint32_t kMostStep = 8;
  if (refused || bytes_of(tensor.type) == 0 || tensor.interleave != CU_TENSOR_MAP_INTERLEAVE_NONE ||
      tensor.swizzle > CU_TENSOR_MAP_SWIZZLE_128B ||
      reinterpret_cast<std::uintptr_t>(tensor.address) % kAlignment != 0) {
    return false;
  }
  for (cuuint32_t i = 0; i < tensor.rank; ++i) {
    if (tensor.sizes[i] == 0 || tensor.sizes[i] > kMostSize || tensor.steps[i] == 0 ||
        tensor.steps[i] > kMostStep) {
      return false;
    }
    if (i + 1 < tensor.rank &&
        (tensor.strides[i] % kAlignment != 0 || tensor.strides[i] >= kMostStride)) {
      return false;
    }
  }
  return true;
}

TensorMap described(const Tensor& tensor, TensorMap::Kind kind) {
  TensorMap map{};  // NOLINT(bugprone-invalid-enum-default-initialization): its kind follows.
  map.kind = kind;
  map.tensor = static_cast<const unsigned char*>(tensor.address);
  map.rank = tensor.rank;
  map.element_bytes = bytes_of(tensor.type);
  map.swizzle = tensor.swizzle;
  for (cuuint32_t i = 0; i < tensor.rank; ++i) {
    map.sizes[i] = static_cast<std::uint32_t>(tensor.sizes[i]);
    map.steps[i] = tensor.steps[i];
    if (i + 1 < tensor.rank) map.strides[i] = tensor.strides[i];
  }
  return map;
}

// The innermost dimension of a box fills whole 16 bytes and no more than the swizzle's span.
bool row_allowed(const Tensor& tensor, cuuint32_t elements) {
  const std::uint32_t bytes = elements * bytes_of(tensor.type);
  return bytes != 0 && bytes % 16 == 0 && bytes <= kSwizzleBytes[tensor.swizzle];
}

CUresult encode_tiled(CUtensorMap* out, CUtensorMapDataType type, cuuint32_t rank, void* address,
                      const cuuint64_t* sizes, const cuuint64_t* strides, const cuuint32_t* box,
                      const cuuint32_t* steps, CUtensorMapInterleave interleave,
                      CUtensorMapSwizzle swizzle, CUtensorMapL2promotion, CUtensorMapFloatOOBfill) {
  constexpr cuuint32_t kMostBox = 256;
  const Tensor tensor{type, rank, address, sizes, strides, steps, interleave, swizzle};
  if (rank != 2 || !allowed(tensor) || !row_allowed(tensor, box[0]) || box[0] > kMostBox ||
      box[1] == 0 || box[1] > kMostBox || steps[1] != 1) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  TensorMap map = described(tensor, TensorMap::kTiled);
  map.box[0] = box[0];
  map.box[1] = box[1];
  std::memcpy(out, &map, sizeof map);
  return CUDA_SUCCESS;
}

CUresult encode_windows(CUtensorMap* out, CUtensorMapDataType type, cuuint32_t rank, void* address,
                        const cuuint64_t* sizes, const cuuint64_t* strides, const int* lower,
                        const int* upper, cuuint32_t channels, cuuint32_t pixels,
                        const cuuint32_t* steps, CUtensorMapInterleave interleave,
                        CUtensorMapSwizzle swizzle, CUtensorMapL2promotion,
                        CUtensorMapFloatOOBfill) {
  constexpr cuuint32_t kMostChannels = 256, kMostPixels = 1024;
  constexpr int kLeastCorner = -128, kMostCorner = 127;
  const Tensor tensor{type, rank, address, sizes, strides, steps, interleave, swizzle};
  if (rank != 4 || !allowed(tensor) || !row_allowed(tensor, channels) || channels > kMostChannels ||
      pixels == 0 || pixels > kMostPixels) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  TensorMap map = described(tensor, TensorMap::kWindows);
  map.box[0] = channels;
  map.box[1] = pixels;
  for (int i = 0; i < 2; ++i) {
    if (lower[i] < kLeastCorner || lower[i] > kMostCorner || upper[i] < kLeastCorner ||
        upper[i] > kMostCorner || static_cast<std::int64_t>(sizes[i + 1]) + upper[i] <= lower[i]) {
      return CUDA_ERROR_INVALID_VALUE;
    }
    map.lower[i] = static_cast<std::int8_t>(lower[i]);
    map.upper[i] = static_cast<std::int8_t>(upper[i]);
  }
  std::memcpy(out, &map, sizeof map);
  return CUDA_SUCCESS;
}

}  // namespace

void set_tensor_maps_refused(bool all) { refused = all; }

void* driver_function(const char* name) {
  static_assert(std::is_same_v<decltype(encode_tiled), decltype(cuTensorMapEncodeTiled)>);
  static_assert(std::is_same_v<decltype(encode_windows), decltype(cuTensorMapEncodeIm2col)>);
  const std::string wanted = name;
  if (wanted == "cuTensorMapEncodeTiled") return reinterpret_cast<void*>(&encode_tiled);
  if (wanted == "cuTensorMapEncodeIm2col") return reinterpret_cast<void*>(&encode_windows);
  return nullptr;
}

TensorMap decode(const CUtensorMap& object) {
  TensorMap map;
  std::memcpy(&map, &object, sizeof map);
  if (map.kind != TensorMap::kTiled && map.kind != TensorMap::kWindows) {
    throw std::runtime_error("a bulk copy was given what is no tensor map");
  }
  return map;
}

}  // namespace cuda_emulator
