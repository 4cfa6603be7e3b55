// From a session's precision to the type that kernels are compiled for.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "tbn/cuda.h"
#include "tbn/error.h"

namespace tbn::cuda {

inline std::int64_t value_bytes(Precision precision) {
  return precision == Precision::kFp32 ? 4 : 2;
}

// Calls f with a null pointer to the type: with_type(p, [&]<class T>(T*) { launch(..., k<T>); }).
template <class F>
decltype(auto) with_type(Precision precision, F f) {
  switch (precision) {
    case Precision::kFp32:
      return f(static_cast<float*>(nullptr));
    case Precision::kFp16:
      return f(static_cast<__half*>(nullptr));
    case Precision::kBf16:
      return f(static_cast<__nv_bfloat16*>(nullptr));
  }
  TBN_CHECK(false, "not a precision");
}

}  // namespace tbn::cuda
