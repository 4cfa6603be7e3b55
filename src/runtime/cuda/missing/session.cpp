// CUDA sessions for builds without CUDA: making one throws an error that says so.
#include "tbn/cuda.h"

#include "tbn/error.h"

namespace tbn {
namespace {

[[noreturn]] void refuse() {
  throw ConfigError(
      "this tbn is built without CUDA for packed networks; build the preset `cuda`, or with "
      "-DTBN_CUDA=ON (it needs nvcc), or use the cpu");
}

}  // namespace

struct CudaSession::Impl {};

// NOLINTNEXTLINE(performance-unnecessary-value-param): the one that is not missing keeps them.
CudaSession::CudaSession(std::shared_ptr<const Network>, CudaOptions) { refuse(); }
CudaSession::~CudaSession() = default;
CudaSession::CudaSession(CudaSession&&) noexcept = default;
CudaSession& CudaSession::operator=(CudaSession&&) noexcept = default;

void CudaSession::run(std::span<const float>, std::int64_t, std::span<float>) { refuse(); }
void CudaSession::run(std::span<const std::uint8_t>, std::int64_t, std::span<float>) { refuse(); }
void CudaSession::run_on_device(const float*, std::int64_t, float*, void*) { refuse(); }
void CudaSession::repeat() { refuse(); }
std::vector<double> CudaSession::time(std::span<const float>, std::int64_t, int) { refuse(); }
const Network& CudaSession::network() const { refuse(); }
const std::string& CudaSession::device_name() const { refuse(); }
CudaMemory CudaSession::memory() const { refuse(); }
std::vector<CudaKernelChoice> CudaSession::kernels(std::int64_t) const { refuse(); }

std::vector<std::string> cuda_layer_kernels() { return {}; }

}  // namespace tbn
