// cuBLASLt counts columns first: our row-major u [pixels][rows] is its matrix of `rows` by
// `pixels`, the product of w^T transposed and x^T.
#include "runtime/cuda/device/matrix_library.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "runtime/cuda/device/precision.h"
#include "tbn/error.h"

namespace tbn::cuda {
namespace {

void check(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw SystemError(std::string("cuBLASLt: ") + what + " failed with status " +
                    std::to_string(static_cast<int>(status)));
}

cudaDataType type_of(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return CUDA_R_32F;
    case Precision::kFp16:
      return CUDA_R_16F;
    case Precision::kBf16:
      return CUDA_R_16BF;
  }
  TBN_CHECK(false, "not a precision");
}

// Bytes that x begins at a multiple of, in the middle of a larger matrix or of an arena: 16, or
// what a row of it has. Without being told the library takes 256 for granted.
std::uint32_t x_alignment(const MatrixProblem& p) {
  const auto row_bytes = static_cast<std::uint64_t>(p.x_stride * value_bytes(p.precision));
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(16, row_bytes & -row_bytes));
}

}  // namespace

// The descriptors of one product.
class MatrixLibrary::Description {
 public:
  Description(const MatrixSymbols& symbols, const MatrixProblem& p) : symbols_(symbols) {
    try {
      make(p);
    } catch (...) {
      release();
      throw;
    }
  }
  ~Description() { release(); }
  Description(const Description&) = delete;
  Description& operator=(const Description&) = delete;

  cublasLtMatmulDesc_t product = nullptr;
  cublasLtMatrixLayout_t w = nullptr, x = nullptr, u = nullptr;

 private:
  void make(const MatrixProblem& p) {
    const cublasOperation_t transposed = CUBLAS_OP_T;
    check(symbols_.product_create(&product, CUBLAS_COMPUTE_32F, CUDA_R_32F), "a product");
    check(
        symbols_.product_set(product, CUBLASLT_MATMUL_DESC_TRANSA, &transposed, sizeof transposed),
        "a product");
    w = layout(type_of(p.precision), p.inputs, p.rows, p.w_stride);
    x = layout(type_of(p.precision), p.inputs, p.pixels, p.x_stride);
    u = layout(p.float_sums ? CUDA_R_32F : type_of(p.precision), p.rows, p.pixels, p.rows);
  }
  cublasLtMatrixLayout_t layout(cudaDataType type, std::int64_t rows, std::int64_t columns,
                                std::int64_t stride) {
    cublasLtMatrixLayout_t made = nullptr;
    check(symbols_.layout_create(&made, type, static_cast<std::uint64_t>(rows),
                                 static_cast<std::uint64_t>(columns), stride),
          "a matrix");
    return made;
  }
  void release() {
    for (cublasLtMatrixLayout_t made : {w, x, u}) {
      if (made != nullptr) symbols_.layout_destroy(made);
    }
    if (product != nullptr) symbols_.product_destroy(product);
  }

  const MatrixSymbols& symbols_;
};

std::unique_ptr<MatrixLibrary> MatrixLibrary::open() {
  const std::optional<MatrixSymbols> symbols = find_matrix_symbols();
  if (!symbols) return nullptr;
  cublasLtHandle_t handle = nullptr;
  check(symbols->create(&handle), "opening the library");
  return std::unique_ptr<MatrixLibrary>(new MatrixLibrary(*symbols, handle));
}

MatrixLibrary::~MatrixLibrary() { symbols_.destroy(handle_); }

std::vector<cublasLtMatmulAlgo_t> MatrixLibrary::algorithms(const MatrixProblem& problem,
                                                            std::int64_t workspace_bytes,
                                                            int most) {
  const Description d(symbols_, problem);
  cublasLtMatmulPreference_t raw = nullptr;
  check(symbols_.preference_create(&raw), "a preference");
  const std::unique_ptr<cublasLtMatmulPreferenceOpaque_t,
                        cublasStatus_t (*)(cublasLtMatmulPreference_t)>
      preference(raw, symbols_.preference_destroy);
  const auto bytes = static_cast<std::uint64_t>(workspace_bytes);
  check(symbols_.preference_set(preference.get(), CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &bytes,
                                sizeof bytes),
        "a preference");
  const std::uint32_t alignment = x_alignment(problem);
  check(symbols_.preference_set(preference.get(), CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
                                &alignment, sizeof alignment),
        "a preference");
  std::vector<cublasLtMatmulHeuristicResult_t> results(static_cast<std::size_t>(most));
  int found = 0;
  const cublasStatus_t status = symbols_.heuristics(handle_, d.product, d.w, d.x, d.u, d.u,
                                                    preference.get(), most, results.data(), &found);
  if (status != CUBLAS_STATUS_NOT_SUPPORTED) check(status, "looking for an algorithm");
  std::vector<cublasLtMatmulAlgo_t> usable;
  for (int i = 0; i < found; ++i) {
    const auto& result = results[static_cast<std::size_t>(i)];
    if (result.state == CUBLAS_STATUS_SUCCESS) usable.push_back(result.algo);
  }
  return usable;
}

void MatrixLibrary::multiply(const MatrixProblem& problem, const MatrixMemory& memory,
                             const cublasLtMatmulAlgo_t& algorithm, cudaStream_t stream) {
  const Description d(symbols_, problem);
  const float one = 1, zero = 0;
  check(symbols_.matmul(handle_, d.product, &one, memory.w, d.w, memory.x, d.x, &zero, memory.u,
                        d.u, memory.u, d.u, &algorithm, memory.workspace,
                        static_cast<std::size_t>(memory.workspace_bytes), stream),
        "a product");
}

void MatrixLibrary::multiply(const MatrixProblem& problem, const MatrixMemory& memory,
                             cudaStream_t stream) {
  const auto key = std::pair(problem, memory.workspace_bytes);
  auto found = first_choices_.find(key);
  if (found == first_choices_.end()) {
    const auto all = algorithms(problem, memory.workspace_bytes, 1);
    if (all.empty()) throw SystemError("cuBLASLt: it knows no algorithm for a matrix product");
    found = first_choices_.emplace(key, all.front()).first;
  }
  multiply(problem, memory, found->second, stream);
}

}  // namespace tbn::cuda
