// A session: the prepared network, the activations' memory and the threads of one caller.
#include <algorithm>
#include <iterator>
#include <new>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "runtime/cpu/program.h"
#include "runtime/run_sizes.h"
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

// Floats that begin on a cache line; allocated without being touched.
class Memory {
 public:
  explicit Memory(std::int64_t count)
      : floats_(static_cast<float*>(
            ::operator new[](static_cast<std::size_t>(count) * sizeof(float), kLine))) {}
  float* get() const { return floats_.get(); }

 private:
  static constexpr std::align_val_t kLine{64};
  struct Delete {
    void operator()(float* floats) const { ::operator delete[](floats, kLine); }
  };
  std::unique_ptr<float[], Delete> floats_;
};

// What running one example writes to.
struct ExampleBuffers {
  explicit ExampleBuffers(const cpu::CpuProgram& program)
      : arena(program.arena_values()),
        shared(program.shared_values()),
        inputs(static_cast<std::size_t>(program.most_inputs())) {}
  cpu::ExampleMemory memory() { return {arena.get(), shared.get(), inputs.data()}; }

  // An example's values as the program reads them; for bytes after make_room_for_bytes().
  const float* floats(std::span<const float> given) { return given.data(); }
  const float* floats(std::span<const std::uint8_t> given) {
    std::copy(given.begin(), given.end(), bytes->get());
    return bytes->get();
  }
  void make_room_for_bytes(std::int64_t count) {
    if (!bytes) bytes.emplace(count);
  }

  Memory arena;
  Memory shared;
  std::vector<const float*> inputs;
  std::optional<Memory> bytes;  // an input that was given as bytes
};

}  // namespace

std::string_view to_string(Backend backend) {
  switch (backend) {
    case Backend::kReference:
      return "reference";
    case Backend::kExact:
      return "exact";
    case Backend::kInt8:
      return "int8";
  }
  TBN_CHECK(false, "not a backend");
}

struct Session::Impl {
  Impl(std::shared_ptr<const Network> shared, const SessionOptions& options)
      : network(std::move(shared)),
        program(network->program(options.backend)),
        pool(checked_threads(options.threads)) {
    examples.emplace_back(*program);
    for (int i = 0; i < pool.workers(); ++i) scratch.emplace_back(program->scratch_values());
  }

  // One example, its layers split over all workers.
  template <class T>
  void run_split(std::span<const T> input, float* output, RunObserver* observer) {
    const auto workers = [this](std::int64_t count, cpu::CpuProgram::Work work) {
      pool.run(count, [&](std::int64_t task, int worker) {
        work(task, scratch[static_cast<std::size_t>(worker)].get());
      });
    };
    ExampleBuffers& own = examples.front();
    program->run(own.floats(input), output, own.memory(), workers, observer);
  }

  // One example, by one worker.
  template <class T>
  void run_whole(std::span<const T> input, float* output, std::size_t worker) {
    const auto alone = [&](std::int64_t count, cpu::CpuProgram::Work work) {
      for (std::int64_t task = 0; task < count; ++task) work(task, scratch[worker].get());
    };
    ExampleBuffers& own = examples[worker];
    program->run(own.floats(input), output, own.memory(), alone);
  }

  template <class T>
  void run(std::span<const T> input, std::int64_t batch, std::span<float> output,
           RunObserver* observer);

  std::shared_ptr<const Network> network;
  std::shared_ptr<const cpu::CpuProgram> program;
  ThreadPool pool;
  std::vector<Memory> scratch;           // one a worker
  std::vector<ExampleBuffers> examples;  // as many as examples were run at once
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

// Examples are independent, layers wait for each other: so batches are split by examples, and only
// the last ones, too few for all workers, by layers.
template <class T>
void Session::Impl::run(std::span<const T> input, std::int64_t batch, std::span<float> output,
                        RunObserver* observer) {
  check_run_sizes(*network, input.size(), batch, output.size());
  const auto in = static_cast<std::size_t>(element_count(network->input_shape()));
  const auto out = static_cast<std::size_t>(element_count(network->output_shape()));
  const std::int64_t workers = pool.workers();
  const std::int64_t whole = observer != nullptr ? 0
                             : workers == 1      ? batch
                                                 : batch / workers * workers;
  while (std::ssize(examples) < std::min(workers, whole)) examples.emplace_back(*program);
  if constexpr (!std::is_same_v<T, float>) {
    for (ExampleBuffers& own : examples) own.make_room_for_bytes(static_cast<std::int64_t>(in));
  }
  const auto example_of = [&](std::int64_t i) {
    return input.subspan(static_cast<std::size_t>(i) * in, in);
  };
  const auto output_of = [&](std::int64_t i) {
    return output.data() + static_cast<std::size_t>(i) * out;
  };
  pool.run(whole, [&](std::int64_t i, int worker) {
    run_whole(example_of(i), output_of(i), static_cast<std::size_t>(worker));
  });
  for (std::int64_t i = whole; i < batch; ++i) run_split(example_of(i), output_of(i), observer);
}

void Session::run(std::span<const float> input, std::int64_t batch, std::span<float> output,
                  RunObserver* observer) {
  impl_->run(input, batch, output, observer);
}

void Session::run(std::span<const std::uint8_t> input, std::int64_t batch, std::span<float> output,
                  RunObserver* observer) {
  impl_->run(input, batch, output, observer);
}

const Network& Session::network() const { return *impl_->network; }

std::int64_t Session::arena_bytes() const {
  return impl_->program->arena_values() * static_cast<std::int64_t>(sizeof(float));
}

}  // namespace tbn
