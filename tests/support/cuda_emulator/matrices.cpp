// The functions of cuBLASLt that tbn calls, computing in double. Stands in for
// src/runtime/cuda/device/matrix_symbols.cpp.
#include "runtime/cuda/device/matrix_symbols.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>
#include <cstring>

#include "support/cuda_emulator/stream.h"

namespace {

struct Layout {
  cudaDataType type;
  std::uint64_t rows, columns;
  std::int64_t stride;
};
static_assert(sizeof(Layout) <= sizeof(cublasLtMatrixLayoutOpaque_t));

struct Product {
  cublasComputeType_t compute;
  cublasOperation_t transposed_a;
};
static_assert(sizeof(Product) <= sizeof(cublasLtMatmulDescOpaque_t));

double load(const void* memory, cudaDataType type, std::size_t i) {
  switch (type) {
    case CUDA_R_32F:
      return static_cast<double>(static_cast<const float*>(memory)[i]);
    case CUDA_R_16F:
      return static_cast<double>(__half2float(static_cast<const __half*>(memory)[i]));
    default:
      return static_cast<double>(__bfloat162float(static_cast<const __nv_bfloat16*>(memory)[i]));
  }
}

void store(void* memory, cudaDataType type, std::size_t i, double value) {
  const auto rounded = static_cast<float>(value);
  switch (type) {
    case CUDA_R_32F:
      static_cast<float*>(memory)[i] = rounded;
      return;
    case CUDA_R_16F:
      static_cast<__half*>(memory)[i] = __float2half(rounded);
      return;
    default:
      static_cast<__nv_bfloat16*>(memory)[i] = __float2bfloat16(rounded);
  }
}

const Layout& layout_of(cublasLtMatrixLayout_t layout) {
  return *reinterpret_cast<const Layout*>(layout);
}

// D = A^T B, matrices column by column.
void multiply(const Layout& a, const void* from_a, const Layout& b, const void* from_b,
              const Layout& d, void* to) {
  for (std::size_t column = 0; column < d.columns; ++column) {
    for (std::size_t row = 0; row < d.rows; ++row) {
      double sum = 0;
      for (std::size_t k = 0; k < a.rows; ++k) {
        sum += load(from_a, a.type, row * static_cast<std::size_t>(a.stride) + k) *
               load(from_b, b.type, column * static_cast<std::size_t>(b.stride) + k);
      }
      store(to, d.type, column * static_cast<std::size_t>(d.stride) + row, sum);
    }
  }
}

cublasStatus_t create(cublasLtHandle_t* handle) {
  static int one;
  *handle = reinterpret_cast<cublasLtHandle_t>(&one);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t destroy(cublasLtHandle_t) { return CUBLAS_STATUS_SUCCESS; }

cublasStatus_t product_create(cublasLtMatmulDesc_t* made, cublasComputeType_t compute,
                              cudaDataType_t scale) {
  if (scale != CUDA_R_32F) return CUBLAS_STATUS_NOT_SUPPORTED;
  *made = new cublasLtMatmulDescOpaque_t{};
  *reinterpret_cast<Product*>(*made) = {compute, CUBLAS_OP_N};
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t product_destroy(cublasLtMatmulDesc_t made) {
  delete made;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t product_set(cublasLtMatmulDesc_t made, cublasLtMatmulDescAttributes_t attribute,
                           const void* value, std::size_t size) {
  if (attribute != CUBLASLT_MATMUL_DESC_TRANSA || size != sizeof(cublasOperation_t)) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  std::memcpy(&reinterpret_cast<Product*>(made)->transposed_a, value, size);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t layout_create(cublasLtMatrixLayout_t* made, cudaDataType type, std::uint64_t rows,
                             std::uint64_t columns, std::int64_t stride) {
  *made = new cublasLtMatrixLayoutOpaque_t{};
  *reinterpret_cast<Layout*>(*made) = {type, rows, columns, stride};
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t layout_destroy(cublasLtMatrixLayout_t made) {
  delete made;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t preference_create(cublasLtMatmulPreference_t* made) {
  *made = new cublasLtMatmulPreferenceOpaque_t{};
  const std::uint32_t without_being_told = 256;
  std::memcpy(*made, &without_being_told, sizeof without_being_told);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t preference_destroy(cublasLtMatmulPreference_t made) {
  delete made;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t preference_set(cublasLtMatmulPreference_t made,
                              cublasLtMatmulPreferenceAttributes_t attribute, const void* value,
                              std::size_t size) {
  if (attribute == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES && size == 8) {
    return CUBLAS_STATUS_SUCCESS;
  }
  if (attribute != CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES || size != 4) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  std::memcpy(made, value, size);
  return CUBLAS_STATUS_SUCCESS;
}

// An algorithm is what it takes for granted: where B begins.
struct Algorithm {
  std::uint32_t alignment_b;
};

bool fits(const Product& product, const Layout& a, const Layout& b, const Layout& d) {
  return product.compute == CUBLAS_COMPUTE_32F && product.transposed_a == CUBLAS_OP_T &&
         a.rows == b.rows && a.columns == d.rows && b.columns == d.columns && a.type == b.type &&
         a.stride >= static_cast<std::int64_t>(a.rows) &&
         b.stride >= static_cast<std::int64_t>(b.rows) &&
         d.stride >= static_cast<std::int64_t>(d.rows);
}

cublasStatus_t heuristics(cublasLtHandle_t, cublasLtMatmulDesc_t product, cublasLtMatrixLayout_t a,
                          cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t,
                          cublasLtMatrixLayout_t d, cublasLtMatmulPreference_t preference, int most,
                          cublasLtMatmulHeuristicResult_t results[], int* found) {
  *found = 0;
  if (!fits(*reinterpret_cast<Product*>(product), layout_of(a), layout_of(b), layout_of(d))) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  for (int i = 0; i < most && i < 2; ++i) {
    results[i] = {};
    results[i].state = CUBLAS_STATUS_SUCCESS;
    std::memcpy(&results[i].algo, preference, sizeof(Algorithm));
    ++*found;
  }
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t matmul(cublasLtHandle_t, cublasLtMatmulDesc_t product, const void* alpha,
                      const void* a, cublasLtMatrixLayout_t a_layout, const void* b,
                      cublasLtMatrixLayout_t b_layout, const void* beta, const void*,
                      cublasLtMatrixLayout_t, void* d, cublasLtMatrixLayout_t d_layout,
                      const cublasLtMatmulAlgo_t* algorithm, void*, std::size_t,
                      cudaStream_t stream) {
  const Layout la = layout_of(a_layout), lb = layout_of(b_layout), ld = layout_of(d_layout);
  const bool usual =
      *static_cast<const float*>(alpha) == 1 && *static_cast<const float*>(beta) == 0;
  if (!usual || !fits(*reinterpret_cast<Product*>(product), la, lb, ld)) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  const auto promised = reinterpret_cast<const Algorithm*>(algorithm)->alignment_b;
  if (reinterpret_cast<std::uintptr_t>(b) % promised != 0) return CUBLAS_STATUS_EXECUTION_FAILED;
  cuda_emulator::on_stream(stream, [=] { multiply(la, a, lb, b, ld, d); });
  return CUBLAS_STATUS_SUCCESS;
}

}  // namespace

namespace tbn::cuda {

std::optional<MatrixSymbols> find_matrix_symbols() {
  return MatrixSymbols{create,
                       destroy,
                       matmul,
                       heuristics,
                       product_create,
                       product_destroy,
                       product_set,
                       layout_create,
                       layout_destroy,
                       preference_create,
                       preference_destroy,
                       preference_set};
}

}  // namespace tbn::cuda
