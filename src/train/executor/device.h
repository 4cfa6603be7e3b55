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

// While it lives, LibTorch computes matrix products and convolutions in bfloat16 on the device.
class Autocast {
 public:
  Autocast(bool enabled, c10::Device device);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  bool enabled_;
  c10::DeviceType type_;
};

}  // namespace tbn
