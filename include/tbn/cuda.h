// Runs packed networks on CUDA devices, without LibTorch. As a Session of tbn/runtime.h, which it
// stands beside: it has a library of its own, tbn::cuda.
//
//   auto network = tbn::Network::load("resnet18.tbn");
//   tbn::CudaSession session(network, {.precision = tbn::Precision::kBf16});
//   session.run(pixels, 64, logits);                    // host memory, as a Session's
//
// Of a tiled layer the device holds one tile: each of its R distinct rows is multiplied once, and
// the sums are fanned out to p scaled replicas where they are written (paper section 3).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tbn/runtime.h"

namespace tbn {

// What the activations between layers are held in; sums are always of 32 bits.
enum class Precision { kFp32, kFp16, kBf16 };
inline constexpr Precision kPrecisions[] = {Precision::kFp32, Precision::kFp16, Precision::kBf16};
std::string_view to_string(Precision precision);  // "fp32", "fp16", "bf16"

struct CudaOptions {
  int device = 0;
  Precision precision = Precision::kBf16;
  // Larger batches run in parts of this many examples, which bounds the memory for activations.
  std::int64_t max_batch = 256;
  // A batch size's launches are captured once and replayed as one CUDA graph.
  bool graphs = true;
  // At a layer's first batch of a size, every kernel that could compute it is checked against the
  // plain one and timed, and the quickest stays. Otherwise rules of thumb choose.
  bool tune = true;
  // Layers use this kernel wherever it can compute them, whatever is quicker; see kernels().
  std::string kernel;
};

// Bytes on the device.
struct CudaMemory {
  std::int64_t weights = 0;      // tiles, scalars, norms, tables
  std::int64_t activations = 0;  // the values between layers, of the largest batch so far
  std::int64_t workspace = 0;    // what single layers need while they run
};

// Which kernel computes a node of the network, as chosen for a batch size.
struct CudaKernelChoice {
  std::string node;
  std::string kernel;
  double microseconds = 0;  // as timed; 0 where it was not
  // Kernels that did not run, or whose results were not the plain one's, separated by spaces.
  std::string rejected;
};

class CudaSession {
 public:
  // Throws ConfigError for a device that this machine does not have, SystemError where its driver
  // is too old or its memory too small.
  explicit CudaSession(std::shared_ptr<const Network> network, CudaOptions options = {});
  ~CudaSession();
  CudaSession(CudaSession&&) noexcept;
  CudaSession& operator=(CudaSession&&) noexcept;

  // input: batch * element_count(input_shape()) floats, row-major; output: batch *
  // element_count(output_shape()). Returns when the output is there. Throws ConfigError where the
  // sizes differ, SystemError where the device fails.
  void run(std::span<const float> input, std::int64_t batch, std::span<float> output);
  // The same of bytes, as images are decoded to: each stands for the float of its value.
  void run(std::span<const std::uint8_t> input, std::int64_t batch, std::span<float> output);
  // The same of device memory of at most max_batch examples, in order with what is on `stream` (a
  // cudaStream_t that is not being captured); returns at once.
  void run_on_device(const float* input, std::int64_t batch, float* output, void* stream);

  // The last part of a batch that run() computed once more, from the input that it left on the
  // device to the output there; waits for it. Nothing where nothing ran.
  void repeat();
  // Microseconds, by the device's clock, that each of `rounds` runs takes from an input there to an
  // output there, after some that are not counted.
  std::vector<double> time(std::span<const float> input, std::int64_t batch, int rounds);

  const Network& network() const;
  const std::string& device_name() const;  // "NVIDIA H200, compute capability 9.0"
  CudaMemory memory() const;
  // Of each node with weights, for a batch size that has run; empty for others.
  std::vector<CudaKernelChoice> kernels(std::int64_t batch) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The kernels that layers can be computed by, each built on the one before: "plain", "expand",
// "gemv", ...
std::vector<std::string> cuda_layer_kernels();

}  // namespace tbn
