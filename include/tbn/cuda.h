/// @file
/// Runs packed networks on CUDA devices, without LibTorch: a CudaSession is used as a Session of
/// tbn/runtime.h. It is in a library of its own, tbn::cuda; where tbn was built without CUDA,
/// making a session throws ConfigError.
///
///     auto network = tbn::Network::load("resnet18.tbn");
///     tbn::CudaSession session(network, {.precision = tbn::Precision::kBf16});
///     session.run(pixels, 64, logits);                    // host memory, as a Session's
///
/// Of a tiled layer the device holds one tile: each of its R distinct rows is multiplied once, and
/// the sums are fanned out to p scaled replicas where they are written (paper section 3).
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

/// The type of the activations between layers; sums are always floats of 32 bits.
enum class Precision { kFp32, kFp16, kBf16 };
/// All of them.
inline constexpr Precision kPrecisions[] = {Precision::kFp32, Precision::kFp16, Precision::kBf16};
std::string_view to_string(Precision precision);  ///< "fp32", "fp16", "bf16"

/// How a session runs its network.
struct CudaOptions {
  int device = 0;                          ///< number of the device, from 0
  Precision precision = Precision::kBf16;  ///< type of the activations
  /// Larger batches run in parts of this many examples, which bounds the memory for activations.
  std::int64_t max_batch = 256;
  /// Whether the launches for a batch size are captured once and replayed as one CUDA graph.
  bool graphs = true;
  /// Whether kernels are chosen by measuring: at the first batch of a size, every kernel that can
  /// compute a layer is checked against the plain one and timed, and the quickest is used.
  /// Otherwise rules of thumb choose.
  bool tune = true;
  /// A kernel of cuda_layer_kernels() that layers use wherever it can compute them; empty: the
  /// best.
  std::string kernel;
};

/// Bytes that a session takes on the device.
struct CudaMemory {
  std::int64_t weights = 0;      ///< tiles, scalars, norms, tables
  std::int64_t activations = 0;  ///< the values between layers, of the largest batch so far
  std::int64_t workspace = 0;    ///< what single layers need while they run
};

/// Which kernel computes a node of the network, as chosen for a batch size.
struct CudaKernelChoice {
  std::string node;         ///< its name in the graph
  std::string kernel;       ///< one of cuda_layer_kernels()
  double microseconds = 0;  ///< as timed; 0 where it was not timed
  /// Kernels that failed, or whose results differed from the plain one's, separated by spaces.
  std::string rejected;
};

/// What one caller runs a network with on a device. One thread at a time may use it.
class CudaSession {
 public:
  /// Loads the network onto the device. Throws ConfigError for a device that this machine does not
  /// have, SystemError where its driver is too old or its memory too small.
  explicit CudaSession(std::shared_ptr<const Network> network, CudaOptions options = {});
  ~CudaSession();
  CudaSession(CudaSession&&) noexcept;             ///< The one moved from may only be destroyed.
  CudaSession& operator=(CudaSession&&) noexcept;  ///< The one moved from may only be destroyed.

  /// Runs `batch` examples. `input`: [batch, input shape] in host memory, row-major; `output`:
  /// [batch, output shape] in host memory, which is complete when the call returns. Throws
  /// ConfigError where the sizes differ, SystemError where the device fails.
  void run(std::span<const float> input, std::int64_t batch, std::span<float> output);
  /// The same with bytes as input, as images are decoded: each stands for the float of its value.
  void run(std::span<const std::uint8_t> input, std::int64_t batch, std::span<float> output);
  /// The same for device memory of at most CudaOptions::max_batch examples. It is queued on
  /// `stream` (a cudaStream_t that is not being captured) and returns at once.
  void run_on_device(const float* input, std::int64_t batch, float* output, void* stream);

  /// Computes the last part of the last batch of run() once more, from the input that is still on
  /// the device to the output there, and waits for it. Does nothing where nothing ran.
  void repeat();
  /// Times `rounds` runs of a batch, after some that are not counted: the microseconds of each, by
  /// the device's clock, from an input on the device to an output there.
  std::vector<double> time(std::span<const float> input, std::int64_t batch, int rounds);

  /// The network that it runs.
  const Network& network() const;
  const std::string& device_name() const;  ///< "NVIDIA H200, compute capability 9.0"
  /// The memory that it takes on the device now.
  CudaMemory memory() const;
  /// The kernel of each node with weights, for a batch size that has run; empty for other sizes.
  std::vector<CudaKernelChoice> kernels(std::int64_t batch) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The names of the kernels that compute layers: "plain", "expand", "gemv", ...
std::vector<std::string> cuda_layer_kernels();

}  // namespace tbn
