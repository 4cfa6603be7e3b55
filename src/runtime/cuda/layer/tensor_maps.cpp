// Has the driver, which the program is not linked with, encode descriptions of activations.
#include "runtime/cuda/layer/tensor_maps.h"

#include <cuda_runtime_api.h>

#include <string>

#include "runtime/cuda/device/status.h"
#include "tbn/error.h"

namespace tbn::cuda {
namespace {

template <class Function>
Function* driver_function(const char* name) {
  constexpr unsigned kSince = 12000;  // the version of CUDA that brought these functions
  void* function = nullptr;
  cudaDriverEntryPointQueryResult found{};
  check(cudaGetDriverEntryPointByVersion(name, &function, kSince, cudaEnableDefault, &found), name);
  if (found != cudaDriverEntryPointSuccess || function == nullptr) {
    throw SystemError("CUDA: this machine's driver has no " + std::string(name));
  }
  return reinterpret_cast<Function*>(function);
}

CUtensorMapDataType data_type(Precision precision) {
  return precision == Precision::kFp16 ? CU_TENSOR_MAP_DATA_TYPE_FLOAT16
                                       : CU_TENSOR_MAP_DATA_TYPE_BFLOAT16;
}

void check_encoded(CUresult result, const char* name) {
  if (result != CUDA_SUCCESS) {
    throw SystemError("CUDA: " + std::string(name) + " refuses a layer's inputs (error " +
                      std::to_string(static_cast<int>(result)) + ")");
  }
}

CUtensorMap linear_map(const LayerShape& shape, Precision precision, void* x, int pixels) {
  const cuuint64_t sizes[] = {static_cast<cuuint64_t>(shape.channels),
                              static_cast<cuuint64_t>(shape.pixels())};
  const cuuint64_t strides[] = {2 * sizes[0]};
  const cuuint32_t box[] = {kCopyInputs, static_cast<cuuint32_t>(pixels)};
  const cuuint32_t steps[] = {1, 1};
  CUtensorMap map{};
  const char* const name = "cuTensorMapEncodeTiled";
  check_encoded(driver_function<decltype(cuTensorMapEncodeTiled)>(name)(
                    &map, data_type(precision), 2, x, sizes, strides, box, steps,
                    CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                    CU_TENSOR_MAP_L2_PROMOTION_L2_128B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE),
                name);
  return map;
}

// The box in which the first taps of all windows lie: from `lower` to the last pixel + `upper`.
struct Corners {
  int lower, upper;
};
Corners corners(int kernel, int padding) { return {-padding, padding - (kernel - 1)}; }

// Limits of four-dimensional maps (CUDA Driver API, cuTensorMapEncodeIm2col), and that the windows
// in the box are those of the layer.
bool fits(int in, int out, int kernel, int stride, int padding) {
  constexpr int kMostStride = 8, kMostTap = 255, kLeast = -128, kMost = 127;
  const auto [lower, upper] = corners(kernel, padding);
  const int box = in + upper - lower;
  return stride <= kMostStride && kernel - 1 <= kMostTap && lower >= kLeast && upper >= kLeast &&
         upper <= kMost && box > 0 && (box - 1) / stride + 1 == out;
}

CUtensorMap windows_map(const LayerShape& shape, Precision precision, void* x, int pixels) {
  const auto [lower_h, upper_h] = corners(shape.kernel_h, shape.padding_h);
  const auto [lower_w, upper_w] = corners(shape.kernel_w, shape.padding_w);
  const cuuint64_t sizes[] = {
      static_cast<cuuint64_t>(shape.channels), static_cast<cuuint64_t>(shape.in_w),
      static_cast<cuuint64_t>(shape.in_h), static_cast<cuuint64_t>(shape.batch)};
  const cuuint64_t strides[] = {2 * sizes[0], 2 * sizes[0] * sizes[1],
                                2 * sizes[0] * sizes[1] * sizes[2]};
  const int lower[] = {lower_w, lower_h}, upper[] = {upper_w, upper_h};
  const cuuint32_t steps[] = {1, static_cast<cuuint32_t>(shape.stride_w),
                              static_cast<cuuint32_t>(shape.stride_h), 1};
  CUtensorMap map{};
  const char* const name = "cuTensorMapEncodeIm2col";
  check_encoded(driver_function<decltype(cuTensorMapEncodeIm2col)>(name)(
                    &map, data_type(precision), 4, x, sizes, strides, lower, upper, kCopyInputs,
                    static_cast<cuuint32_t>(pixels), steps, CU_TENSOR_MAP_INTERLEAVE_NONE,
                    CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_128B,
                    CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE),
                name);
  return map;
}

}  // namespace

bool has_tensor_map(const LayerShape& shape) {
  constexpr int kAlignedChannels = 8;  // strides are multiples of 16 bytes
  if (shape.groups != 1 || shape.channels % kAlignedChannels != 0) return false;
  return shape.is_linear() ||
         (fits(shape.in_h, shape.out_h, shape.kernel_h, shape.stride_h, shape.padding_h) &&
          fits(shape.in_w, shape.out_w, shape.kernel_w, shape.stride_w, shape.padding_w));
}

CUtensorMap input_map(const LayerShape& shape, Precision precision, const void* x, int pixels) {
  void* const values = const_cast<void*>(x);  // the driver's functions take it so; only read
  return shape.is_linear() ? linear_map(shape, precision, values, pixels)
                           : windows_map(shape, precision, values, pixels);
}

}  // namespace tbn::cuda
