// A session: the prepared network, the activations' memory and the threads of one caller.
#include <new>
#include <string>

#include "runtime/cpu/program.h"
#include "runtime/thread_pool.h"
#include "tbn/error.h"
#include "tbn/runtime.h"

namespace tbn {

namespace {

constexpr int kMaxThreads = 1024;

int checked_threads(int threads) {
  if (threads >= 1 && threads <= kMaxThreads) return threads;
  throw ConfigError("threads must be between 1 and " + std::to_string(kMaxThreads) + ", is " +
                    std::to_string(threads));
}

// What one worker writes to; allocated without being touched.
struct Memory {
  std::unique_ptr<float[]> arena;
  std::unique_ptr<float[]> scratch;
};

std::unique_ptr<float[]> floats(std::int64_t count) {
  return std::make_unique_for_overwrite<float[]>(static_cast<std::size_t>(count));
}

void check_size(const char* what, std::size_t given, std::int64_t batch, const Shape& shape) {
  const auto each = static_cast<std::size_t>(element_count(shape));
  const auto wanted = each * static_cast<std::size_t>(batch);
  if (given == wanted) return;
  throw ConfigError(std::string(what) + " holds " + std::to_string(given) + " values, but " +
                    std::to_string(batch) + " examples of " + to_string(shape) + " are " +
                    std::to_string(wanted));
}

}  // namespace

std::string_view to_string(Backend backend) {
  switch (backend) {
    case Backend::kReference:
      return "reference";
    case Backend::kExact:
      return "exact";
  }
  TBN_CHECK(false, "not a backend");
}

struct Session::Impl {
  Impl(std::shared_ptr<const Network> shared, const SessionOptions& options)
      : network(std::move(shared)),
        program(network->graph(), network->tensors(), options.backend),
        pool(checked_threads(options.threads)) {
    for (int i = 0; i < pool.workers(); ++i) {
      memory.push_back({floats(program.arena_values()), floats(program.scratch_values())});
    }
  }

  std::shared_ptr<const Network> network;
  cpu::Program program;
  ThreadPool pool;
  std::vector<Memory> memory;
};

Session::Session(std::shared_ptr<const Network> network, SessionOptions options) {
  TBN_CHECK(network != nullptr, "a session needs a network");
  try {
    impl_ = std::make_unique<Impl>(std::move(network), options);
  } catch (const std::bad_alloc&) {
    throw SystemError("out of memory while the network was made ready to run");
  }
}

Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

void Session::run(std::span<const float> input, std::int64_t batch, std::span<float> output) {
  if (batch < 0) throw ConfigError("batch must be at least 0, is " + std::to_string(batch));
  const Network& net = *impl_->network;
  check_size("input", input.size(), batch, net.input_shape());
  check_size("output", output.size(), batch, net.output_shape());
  const std::int64_t in = element_count(net.input_shape());
  const std::int64_t out = element_count(net.output_shape());
  impl_->pool.run(batch, [&](std::int64_t example, int worker) {
    const Memory& memory = impl_->memory[static_cast<std::size_t>(worker)];
    impl_->program.run(input.data() + example * in, output.data() + example * out,
                       memory.arena.get(), memory.scratch.get());
  });
}

const Network& Session::network() const { return *impl_->network; }

std::int64_t Session::arena_bytes() const {
  return impl_->program.arena_values() * static_cast<std::int64_t>(sizeof(float));
}

}  // namespace tbn
