// Runs packed networks without LibTorch. A Network is loaded once and shared between threads; each
// thread runs it through a Session of its own, which holds the activations.
//
//   auto network = tbn::Network::load("fashion.tbn");          // std::shared_ptr<const Network>
//   tbn::Session session(network, {.threads = 2});
//   std::vector<float> logits(10);
//   session.run(pixels, 1, logits);                             // pixels: 784 floats, raw 0..255
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
class Program;
}
enum class Backend;
struct PackedFile;

// How much a network may take to run, since a file of 400 bytes can ask for gigabytes, or for
// years. The defaults leave room: the zoo's largest network takes a tenth of the memory and a
// hundredth of the operations. Who loads files of strangers lowers them, and who has a larger
// network of his own raises them.
struct Limits {
  // Of the weights as a session holds them (floats, at most), the activations of one example and
  // what layers work on. Each further thread of a session takes the activations once more.
  std::int64_t memory_bytes = std::int64_t{1} << 31;
  // For one example: multiply-adds, and values that are read or written. A core does some 10^9 to
  // 10^11 in a second.
  std::int64_t operations = 1'000'000'000'000;
};

class Network {
 public:
  // Reads and checks a .tbn file. Throws DataError, also where it exceeds the limits,
  // NonFiniteError for a weight that is infinite or not a number, and SystemError where it cannot
  // be read. The tensors stay in the file, which is mapped while the network lives: it may be
  // deleted, or replaced by renaming another over it, but not written into or cut short, which
  // would change the network or end the program (SIGBUS). Who cannot rule that out reads the file
  // and calls parse.
  static std::shared_ptr<const Network> load(const std::filesystem::path& path,
                                             const Limits& limits = {});
  // The same for a file's bytes in memory, for example an array in the program, at any address.
  // They are copied and may go afterwards. Errors begin with `where`.
  static std::shared_ptr<const Network> parse(std::span<const std::byte> bytes,
                                              const std::string& where = "model",
                                              const Limits& limits = {});
  // Takes a packed model as the export passes leave it, or with scalars in half precision. Throws
  // DataError beginning with `where`.
  static std::shared_ptr<const Network> from(Model packed,
                                             std::map<std::string, std::string> metadata = {},
                                             const std::string& where = "model",
                                             const Limits& limits = {});

  const Graph& graph() const { return model_.graph; }
  // Scalars that the file holds in half precision are floats here.
  const TensorMap& tensors() const { return model_.tensors; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  // How inputs are made and what outputs mean, as the file says (tbn/prepare.h carries it out);
  // empty parts where it says nothing. In short: what the classes are called, a name a logit, and
  // the columns of points and series, a name a value of a row.
  const Rule& rule() const { return rule_; }
  const std::vector<std::string>& classes() const;
  const std::vector<std::string>& columns() const;
  // The prepared weights that the file holds (see tbn/file.h), for whatever processor.
  const TensorMap& prepared() const { return prepared_; }
  const Shape& input_shape() const { return graph().input_shape(); }
  const Shape& output_shape() const { return graph().output_shape(); }
  // Test vectors stored in the file (input [k, ...], output [k, ...]); count 0 where there are
  // none.
  const HostTensor& verify_input() const { return verify_input_; }
  const HostTensor& verify_output() const { return verify_output_; }

 private:
  friend class Session;
  Network() = default;
  static std::shared_ptr<const Network> from_file(PackedFile file, const std::string& where,
                                                  const Limits& limits);
  // The network made ready for a backend, shared by all sessions that run it.
  std::shared_ptr<const cpu::Program> program(Backend backend) const;

  Model model_;
  TensorMap prepared_;
  std::string where_;  // how errors begin
  Limits limits_;
  std::map<std::string, std::string> metadata_;
  Rule rule_;
  HostTensor verify_input_;
  HostTensor verify_output_;
  mutable std::mutex programs_mutex_;
  mutable std::map<Backend, std::weak_ptr<const cpu::Program>> programs_;
};

// Which kernels run, with the instructions that the processor has (AVX-512, AVX2, NEON, or none in
// particular).
//   reference  plain loops in float, one example on one thread: the oracle of the others.
//   exact      the sums of tiled layers by look-ups in tables of sign patterns, or by products
//              where those are as fast: the same sums in another order.
//   int8       the inputs of layers of signs or integers rounded to 8 bits, each vector (in
//              convolutions each image) with a range of its own: faster, and not exact.
enum class Backend { kReference, kExact, kInt8 };
inline constexpr Backend kBackends[] = {Backend::kReference, Backend::kExact, Backend::kInt8};
std::string_view to_string(Backend backend);

// Is told how long the nodes of a network take.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  // Node `node` of the graph has run for so long, by a kernel of that name ("signs", "bytes",
  // "floats", "reference", ...). The output's node comes twice: the second time, "output", it was
  // copied to the caller.
  virtual void ran(NodeId node, const char* kernel, double seconds) = 0;
};

struct SessionOptions {
  Backend backend = Backend::kExact;
  // A batch's examples are split over them, and the layers of a single one. Results do not depend
  // on their number.
  int threads = 1;
};

class Session {
 public:
  // Throws DataError where the file's prepared weights are not of the layer's size, or an example
  // takes more memory than the network's limits allow.
  explicit Session(std::shared_ptr<const Network> network, SessionOptions options = {});
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  // input: batch * element_count(input_shape()) floats, row-major; output: batch *
  // element_count(output_shape()). Throws ConfigError where the sizes differ. Once a batch of a
  // size has run, others of that size allocate no memory. An observer is told of each example's
  // nodes in turn, from this thread; the examples then run one after another.
  void run(std::span<const float> input, std::int64_t batch, std::span<float> output,
           RunObserver* observer = nullptr);
  // The same of bytes, as images are decoded to: each stands for the float of its value.
  void run(std::span<const std::uint8_t> input, std::int64_t batch, std::span<float> output,
           RunObserver* observer = nullptr);

  const Network& network() const;
  // Bytes of activations that one example needs, as planned by liveness.
  std::int64_t arena_bytes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tbn
