// Dense matrix products by cuBLASLt: what layers with float weights use, what expanded tiles are
// multiplied with, and the rival of our own kernels.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "runtime/cuda/device/matrix_symbols.h"
#include "tbn/cuda.h"

namespace tbn::cuda {

// u [pixels][rows] = x [pixels][inputs] w^T with w [rows][inputs]; all row-major, in w and x with
// rows of their strides. Sums are of 32 bits, for fp32 without TF32. x may begin at any multiple of
// 16 bytes, and at any row of such a matrix; w, u and the workspace at multiples of 256.
struct MatrixProblem {
  std::int64_t rows = 0;
  std::int64_t pixels = 0;
  std::int64_t inputs = 0;
  std::int64_t w_stride = 0;
  std::int64_t x_stride = 0;
  Precision precision = Precision::kBf16;
  bool float_sums = true;  // u is of floats; else of the precision
  auto operator<=>(const MatrixProblem&) const = default;
};

struct MatrixMemory {
  const void* w = nullptr;
  const void* x = nullptr;
  void* u = nullptr;
  void* workspace = nullptr;
  std::int64_t workspace_bytes = 0;
};

class MatrixLibrary {
 public:
  // Null where cuBLASLt is not installed.
  static std::unique_ptr<MatrixLibrary> open();
  ~MatrixLibrary();
  MatrixLibrary(const MatrixLibrary&) = delete;
  MatrixLibrary& operator=(const MatrixLibrary&) = delete;

  // The library's algorithms for a problem, its first choice first, at most `most`.
  std::vector<cublasLtMatmulAlgo_t> algorithms(const MatrixProblem& problem,
                                               std::int64_t workspace_bytes, int most);
  void multiply(const MatrixProblem& problem, const MatrixMemory& memory,
                const cublasLtMatmulAlgo_t& algorithm, cudaStream_t stream);
  // By its first choice.
  void multiply(const MatrixProblem& problem, const MatrixMemory& memory, cudaStream_t stream);

 private:
  MatrixLibrary(const MatrixSymbols& symbols, cublasLtHandle_t handle)
      : symbols_(symbols), handle_(handle) {}
  class Description;

  MatrixSymbols symbols_;
  cublasLtHandle_t handle_;
  std::map<std::pair<MatrixProblem, std::int64_t>, cublasLtMatmulAlgo_t> first_choices_;
};

}  // namespace tbn::cuda
