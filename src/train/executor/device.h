// Where training runs and how reproducibly: devices by name, threads, seeds, autocast.
#pragma once

#include <string>

#include <c10/core/Device.h>

#include "config/config.h"

namespace tbn {

// "cpu", "cuda", "cuda:1" or "auto" (a GPU where there is one). Throws ConfigError for any other
// text, and for a GPU that this machine or this build does not have: nothing that asked for a GPU
// runs on the CPU in silence.
c10::Device resolve_device(const std::string& name);

// "cpu, 2 threads", "cuda:0 (NVIDIA H200)"
std::string describe_device(c10::Device device);

// Threads, deterministic algorithms and the seed of LibTorch's generators, for the whole process,
// which on a CPU keeps the memory that it frees from then on.
void configure_torch(const TrainConfig& train, c10::Device device);

// How a training on `device` multiplies, never kAuto, and what the user should know of it. `auto`
// is bf16 on a GPU and on a CPU with instructions for it (AMX or AVX-512 BF16), else fp32.
struct PrecisionChoice {
  TrainPrecision precision = TrainPrecision::kFp32;
  std::string note;
};
PrecisionChoice choose_precision(TrainPrecision asked, c10::Device device);

// While it lives, LibTorch computes matrix products and convolutions in bfloat16 on the device, or,
// where it is not `enabled`, in the type of their tensors.
class Autocast {
 public:
  Autocast(bool enabled, c10::Device device);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  bool enabled_;
  bool was_enabled_;
  c10::DeviceType type_;
};

}  // namespace tbn
