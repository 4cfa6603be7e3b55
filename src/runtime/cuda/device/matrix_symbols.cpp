// Opens cuBLASLt.
#include "runtime/cuda/device/matrix_symbols.h"

#include <dlfcn.h>

#include <string>

namespace tbn::cuda {
namespace {

void* open_library() {
  const std::string versioned = "libcublasLt.so." + std::to_string(CUBLAS_VER_MAJOR);
  for (const char* name : {versioned.c_str(), "/usr/local/cuda/lib64/libcublasLt.so"}) {
    if (void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL)) return library;
  }
  return nullptr;
}

template <class F>
bool find(void* library, const char* name, F& function) {
  function = reinterpret_cast<F>(dlsym(library, name));
  return function != nullptr;
}

}  // namespace

std::optional<MatrixSymbols> find_matrix_symbols() {
  // Never closed: other libraries of the process may use it too.
  static void* const library = open_library();
  if (library == nullptr) return std::nullopt;
  MatrixSymbols s;
  const bool all = find(library, "cublasLtCreate", s.create) &&
                   find(library, "cublasLtDestroy", s.destroy) &&
                   find(library, "cublasLtMatmul", s.matmul) &&
                   find(library, "cublasLtMatmulAlgoGetHeuristic", s.heuristics) &&
                   find(library, "cublasLtMatmulDescCreate", s.product_create) &&
                   find(library, "cublasLtMatmulDescDestroy", s.product_destroy) &&
                   find(library, "cublasLtMatmulDescSetAttribute", s.product_set) &&
                   find(library, "cublasLtMatrixLayoutCreate", s.layout_create) &&
                   find(library, "cublasLtMatrixLayoutDestroy", s.layout_destroy) &&
                   find(library, "cublasLtMatmulPreferenceCreate", s.preference_create) &&
                   find(library, "cublasLtMatmulPreferenceDestroy", s.preference_destroy) &&
                   find(library, "cublasLtMatmulPreferenceSetAttribute", s.preference_set);
  return all ? std::optional(s) : std::nullopt;
}

}  // namespace tbn::cuda
