// Device names, LibTorch's process-wide settings and autocast.
#include "train/executor/device.h"

#include <cstdlib>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <string_view>
#include <thread>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/cpu/Utils.h>
#include <fmt/format.h>
#include <torch/cuda.h>

#ifdef TBN_WITH_CUDA
#include <ATen/cuda/CUDAContext.h>
#endif

#include "tbn/error.h"

namespace tbn {
namespace {

constexpr std::string_view kCuda = "cuda";

// The number behind "cuda:", or -1 where it is none.
int gpu_index(const std::string& name) {
  const std::string digits = name.substr(kCuda.size() + 1);
  if (digits.empty() || digits.size() > 3 ||
      digits.find_first_not_of("0123456789") != std::string::npos) {
    return -1;
  }
  return std::stoi(digits);
}

int gpu_count() {
  return torch::cuda::is_available() ? static_cast<int>(torch::cuda::device_count()) : 0;
}

[[noreturn]] void fail_no_gpu(const std::string& name) {
#ifdef TBN_WITH_CUDA
  const char* reason = "LibTorch finds no CUDA device on this machine (check nvidia-smi)";
#else
  const char* reason =
      "this tbn is built without CUDA (scripts/setup.sh --cuda, then the preset `cuda`)";
#endif
  throw ConfigError(fmt::format(
      "train.device: '{}' asks for a GPU, but {}; use train.device=cpu or auto", name, reason));
}

// Every step frees and allocates the same tensors. By default glibc maps each large one anew, and
// the kernel's zeroing of fresh pages takes a sixth of a step: freed memory is kept instead.
void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
#endif
}

// The instructions of this processor that multiply bfloat16; empty where there are none.
std::string bf16_instructions() {
  const auto found = at::cpu::get_cpu_capabilities();
  const auto has = [&](const char* name) {
    const auto entry = found.find(name);
    return entry != found.end() && entry->second.isBool() && entry->second.toBool();
  };
  if (has("amx_bf16")) return "AMX";
  if (has("avx512_bf16")) return "AVX-512 BF16";
  return "";
}

}  // namespace

c10::Device resolve_device(const std::string& name) {
  if (name == "cpu") return c10::Device(c10::kCPU);
  const int gpus = gpu_count();
  if (name == "auto") return gpus > 0 ? c10::Device(c10::kCUDA, 0) : c10::Device(c10::kCPU);
  const bool numbered = name.starts_with("cuda:");
  const int index = numbered ? gpu_index(name) : 0;
  if ((name != kCuda && !numbered) || index < 0) {
    throw ConfigError(
        fmt::format("train.device: '{}' is not one of auto, cpu, cuda, cuda:N", name));
  }
  if (gpus == 0) fail_no_gpu(name);
  if (index >= gpus) {
    throw ConfigError(fmt::format("train.device: '{}' does not exist; this machine has cuda:0{}",
                                  name, gpus > 1 ? fmt::format(" to cuda:{}", gpus - 1) : ""));
  }
  return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(index));
}

std::string describe_device(c10::Device device) {
#ifdef TBN_WITH_CUDA
  if (device.is_cuda()) {
    return fmt::format("{} ({})", device.str(),
                       at::cuda::getDeviceProperties(device.index())->name);
  }
#endif
  const int threads = at::get_num_threads();
  return fmt::format("{}, {} thread{}", device.str(), threads, threads == 1 ? "" : "s");
}

void configure_torch(const TrainConfig& train, c10::Device device) {
  if (device.is_cpu()) keep_freed_memory();
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  at::set_num_threads(train.threads > 0 ? static_cast<int>(train.threads)
                                        : static_cast<int>(cores));
  // cuBLAS is only deterministic with a fixed workspace, which it takes from its environment alone.
  if (train.deterministic && device.is_cuda()) setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
  at::Context& context = at::globalContext();
  context.setDeterministicAlgorithms(train.deterministic, false);
  context.setDeterministicCuDNN(train.deterministic);
  context.setBenchmarkCuDNN(!train.deterministic);
  at::manual_seed(static_cast<std::uint64_t>(train.seed));
}

PrecisionChoice choose_precision(TrainPrecision asked, c10::Device device) {
  if (asked == TrainPrecision::kFp32) return {};
  if (!device.is_cpu()) return {TrainPrecision::kBf16, ""};
  const std::string instructions = bf16_instructions();
  if (asked == TrainPrecision::kAuto) {
    if (instructions.empty()) {
      return {TrainPrecision::kFp32,
              "train.precision: auto is fp32: this processor has no instructions for bfloat16"};
    }
    return {TrainPrecision::kBf16,
            "train.precision: auto is bf16: this processor has " + instructions};
  }
  return {TrainPrecision::kBf16, instructions.empty()
                                     ? "train.precision: bf16 is emulated, slower than fp32: this "
                                       "processor has no instructions for it"
                                     : ""};
}

Autocast::Autocast(bool enabled, c10::Device device)
    : enabled_(enabled),
      was_enabled_(at::autocast::is_autocast_enabled(device.type())),
      type_(device.type()) {
  if (enabled_ == was_enabled_) return;
  at::autocast::set_autocast_enabled(type_, enabled_);
  if (enabled_) at::autocast::set_autocast_dtype(type_, at::kBFloat16);
}

Autocast::~Autocast() {
  if (enabled_ == was_enabled_) return;
  if (enabled_) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(type_, was_enabled_);
}

}  // namespace tbn
