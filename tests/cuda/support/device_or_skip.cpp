// Linked into tests that need a CUDA device: without one the program ends before its tests, with
// the code that ctest shows as skipped.
#include <cuda_runtime_api.h>

#include <cstdio>
#include <cstdlib>

namespace {

[[maybe_unused]] const bool kHasDevice = [] {
  constexpr int kSkipped = 77;
  int count = 0;
  const cudaError_t result = cudaGetDeviceCount(&count);
  if (result == cudaSuccess && count > 0) return true;
  std::printf("SKIPPED, not run on a GPU: %s\n", cudaGetErrorString(result));
  std::exit(kSkipped);
}();

}  // namespace
