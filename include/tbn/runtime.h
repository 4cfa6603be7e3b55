/// @file
/// Runs packed networks without LibTorch. A Network is loaded once and shared between threads; each
/// thread runs it through a Session of its own, which holds the activations.
///
///     auto network = tbn::Network::load("fashion.tbn");          // std::shared_ptr<const Network>
///     tbn::Session session(network, {.threads = 2});
///     std::vector<float> logits(10);
///     session.run(pixels, 1, logits);                             // pixels: 784 floats, raw
///     0..255
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tbn/model.h"
#include "tbn/rule.h"

namespace tbn {

namespace cpu {
class CpuProgram;
}
enum class Backend;
struct PackedFile;

/// How much a network may take to run, since a file of 400 bytes can ask for gigabytes, or for
/// years.
/// The defaults leave room: the zoo's largest network takes a tenth of the memory and a hundredth
/// of the operations. Lower them to load files of unknown origin, and raise them for a larger
/// network.
struct Limits {
  /// Bytes of the weights as a session holds them (floats, at most), of the activations of one
  /// example and of the layers' work space. Each further thread of a session takes the activations
  /// once more. And, by themselves, of the inputs of test vectors that a generator makes.
  std::int64_t memory_bytes = std::int64_t{1} << 31;
  /// Multiply-adds, and values that are read or written, per example. A core does some 10^9 to
  /// 10^11 per second.
  std::int64_t operations = 1'000'000'000'000;
};

/// A packed network, loaded and checked. Nothing changes it: any number of threads and sessions may
/// share one.
class Network {
 public:
  /// Reads and checks a .tbn file. Throws DataError where it is missing, damaged, too new or
  /// exceeds the limits, NonFiniteError for a weight that is infinite or not a number, and
  /// SystemError where it cannot be read. The tensors stay in the file, which is mapped while the
  /// network lives: it may be deleted, or replaced by renaming another over it, but not written
  /// into or cut short, which would change the network or end the program (SIGBUS). Where that can
  /// happen, read the file and call parse().
  static std::shared_ptr<const Network> load(const std::filesystem::path& path,
                                             const Limits& limits = {});
  /// The same for a file's bytes in memory, for example an array in the program, at any address.
  /// They are copied and may go afterwards. Errors begin with `where`.
  static std::shared_ptr<const Network> parse(std::span<const std::byte> bytes,
                                              const std::string& where = "model",
                                              const Limits& limits = {});
  /// A network of a packed model as the export passes leave it, or with scalars in half precision.
  /// Throws DataError and NonFiniteError, as load() does, beginning with `where`.
  static std::shared_ptr<const Network> from(Model packed,
                                             std::map<std::string, std::string> metadata = {},
                                             const std::string& where = "model",
                                             const Limits& limits = {});
  /// The network of a file that was read already (tbn/file.h), with every check of load().
  static std::shared_ptr<const Network> from_file(PackedFile file, const std::string& where,
                                                  const Limits& limits = {});

  /// The packed graph.
  const Graph& graph() const { return model_.graph; }
  /// Its tensors (packed_tensors()). Scalars that the file holds in half precision are floats here.
  const TensorMap& tensors() const { return model_.tensors; }
  /// The texts that the file holds about itself, by key: "tbn.trained_on", "tbn.accuracy".
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// How inputs are made and what outputs mean, as the file says (the functions of tbn/prepare.h
  /// carry it out). Its parts are empty where the file does not say.
  const Rule& rule() const { return rule_; }
  /// The names of the classes, one per logit; empty where the file does not say.
  const std::vector<std::string>& classes() const;
  /// The names of the columns of points and series, one per value of a row; empty where the file
  /// does not say.
  const std::vector<std::string>& columns() const;
  /// The prepared weights that the file holds, for any processor (see tbn/file.h).
  const TensorMap& prepared() const { return prepared_; }
  /// The shape of one example, without the batch. Inputs are raw values: pixels 0..255.
  const Shape& input_shape() const { return graph().input_shape(); }
  /// The shape of the result for one example, without the batch.
  const Shape& output_shape() const { return graph().output_shape(); }
  /// The inputs of the file's test vectors, [k, input shape]; no elements where it has none. Where
  /// the file names their generator instead of holding them, the first call makes them, and throws
  /// DataError where they take more than the limit on memory.
  const HostTensor& verify_input() const;
  /// The outputs that belong to them, [k, output shape]; no elements where it has none. Their first
  /// dimension says how many there are.
  const HostTensor& verify_output() const { return verify_output_; }

 private:
  friend class Session;
  Network() = default;
  // The network made ready for a backend, shared by all sessions that run it.
  std::shared_ptr<const cpu::CpuProgram> program(Backend backend) const;

  Model model_;
  TensorMap prepared_;
  std::string where_;  // how errors begin
  Limits limits_;
  std::map<std::string, std::string> metadata_;
  Rule rule_;
  mutable std::mutex verify_mutex_;
  mutable std::string verify_generator_;  // of inputs that are still to be made; else empty
  mutable HostTensor verify_input_;
  HostTensor verify_output_;
  mutable std::mutex programs_mutex_;
  mutable std::map<Backend, std::weak_ptr<const cpu::CpuProgram>> programs_;
};

/// Which kernels run, with the best instructions that the processor has (AVX-512, AVX2, NEON).
enum class Backend {
  /// Plain loops in float, one example on one thread: what the others are checked against.
  kReference,
  /// The sums of tiled layers by look-ups in tables of sign patterns, or by products where those
  /// are as fast: the same sums in another order.
  kExact,
  /// The inputs of layers of signs or integers are rounded to 8 bits, each vector (in convolutions
  /// each image) with a range of its own: faster, and not exact.
  kInt8
};
/// All of them.
inline constexpr Backend kBackends[] = {Backend::kReference, Backend::kExact, Backend::kInt8};
std::string_view to_string(Backend backend);  ///< "reference", "exact", "int8"

/// Is called for each node that a session runs, with the time that it took.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  /// Node `node` of the graph has run for `seconds`, by the kernel of that name ("signs", "bytes",
  /// "floats", "reference", ...). The output's node comes twice: the second time, as "output", its
  /// value was copied to the caller.
  virtual void ran(NodeId node, const char* kernel, double seconds) = 0;
};

/// How a session runs its network.
struct SessionOptions {
  Backend backend = Backend::kExact;  ///< which kernels
  /// Threads: they share the examples of a batch, or the layers of a single example. Results do not
  /// depend on their number.
  int threads = 1;
};

/// What one caller runs a network with: the memory of its activations, and its threads. One thread
/// at a time may use it.
class Session {
 public:
  /// Makes the network ready for a backend. Throws DataError where the file's prepared weights do
  /// not have the layer's size, or an example takes more memory than the network's limits allow.
  explicit Session(std::shared_ptr<const Network> network, SessionOptions options = {});
  ~Session();
  Session(Session&&) noexcept;             ///< The one moved from may only be destroyed.
  Session& operator=(Session&&) noexcept;  ///< The one moved from may only be destroyed.

  /// Runs `batch` examples. `input`: [batch, input shape], row-major; `output`: [batch, output
  /// shape], which this call writes. Throws ConfigError where the sizes differ. Once a batch of a
  /// size has run, others of that size allocate no memory. With an observer the examples run one
  /// after another, and it is called for each of their nodes from this thread.
  void run(std::span<const float> input, std::int64_t batch, std::span<float> output,
           RunObserver* observer = nullptr);
  /// The same with bytes as input, as images are decoded: each stands for the float of its value.
  void run(std::span<const std::uint8_t> input, std::int64_t batch, std::span<float> output,
           RunObserver* observer = nullptr);

  /// The network that it runs.
  const Network& network() const;
  /// Bytes of activations that one example needs, as planned by liveness.
  std::int64_t arena_bytes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tbn
