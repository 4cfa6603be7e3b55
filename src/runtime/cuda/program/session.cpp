// A session on a device: the program, its memory, and the way of batches there and back.
#include <algorithm>
#include <new>

#include "runtime/cuda/device/status.h"
#include "runtime/cuda/layer/layer.h"
#include "runtime/cuda/program/graph_cache.h"
#include "runtime/cuda/program/program.h"
#include "runtime/run_sizes.h"
#include "tbn/error.h"

namespace tbn {
namespace {

using cuda::Buffer;
using cuda::check;

// Keeps products of a batch and what an example takes in 63 bits.
constexpr std::int64_t kMostExamples = std::int64_t{1} << 20;

std::int64_t checked_batch(std::int64_t max_batch) {
  if (max_batch >= 1 && max_batch <= kMostExamples) return max_batch;
  throw ConfigError("max_batch must be between 1 and " + std::to_string(kMostExamples) + ", is " +
                    std::to_string(max_batch));
}

std::string described(const cuda::DeviceInfo& device) {
  return device.name + ", compute capability " + std::to_string(device.capability / 10) + "." +
         std::to_string(device.capability % 10);
}

// Replaces a buffer that is too small. The old one goes first: the device may not hold both.
void make_room(Buffer& buffer, std::int64_t bytes, Buffer (*make)(std::int64_t, const char*),
               const char* what) {
  if (bytes <= buffer.bytes()) return;
  buffer = {};
  buffer = make(bytes, what);
}

// Pinned memory between the caller and the device, for one part of a batch. While the device works
// on one part the caller's values of the next are copied to another lane.
struct Lane {
  Buffer input, output;
  cuda::Event done;
  std::span<float> target;  // of the part under way; empty: none is

  void make_room_for(std::int64_t input_bytes, std::int64_t output_bytes) {
    make_room(input, input_bytes, Buffer::pinned, "pinned memory for the input");
    make_room(output, output_bytes, Buffer::pinned, "pinned memory for the output");
  }
  void finish() {
    if (target.empty()) return;
    check(cudaEventSynchronize(done.get()), "running the network");
    std::copy_n(output.get<float>(), target.size(), target.data());
    target = {};
  }
};

}  // namespace

struct CudaSession::Impl {
  Impl(std::shared_ptr<const Network> shared, const CudaOptions& given)
      : network(std::move(shared)),
        options(given),
        max_batch(checked_batch(given.max_batch)),
        context(given.device),
        name(described(context.device())),
        program(network->graph(), network->tensors(),
                {.precision = given.precision, .tune = given.tune, .kernel = given.kernel},
                context),
        in(element_count(network->input_shape())),
        out(element_count(network->output_shape())) {}

  // What still runs there reads the memory. Where waiting fails, so did what it waits for.
  ~Impl() {
    cudaStreamSynchronize(stream.get());
    cudaEventSynchronize(last_run.get());
  }

  cuda::RunMemory memory() const { return {arena.get<std::byte>(), workspace.get<std::byte>()}; }

  void check_one_part(std::int64_t batch) const {
    if (batch >= 0 && batch <= max_batch) return;
    throw ConfigError("batch must be between 0 and max_batch, " + std::to_string(max_batch) +
                      ", is " + std::to_string(batch));
  }
  void wait_for_last_run() const {
    check(cudaEventSynchronize(last_run.get()), "running the network");
  }
  void make_ready(std::int64_t batch);
  void launch(std::int64_t batch, cudaStream_t to);
  template <class T>
  void compute(const T* input, std::int64_t batch, float* output, cudaStream_t to);
  template <class T>
  void start(Lane& lane, std::span<const T> input, std::int64_t batch, std::span<float> output);
  template <class T>
  void run(std::span<const T> input, std::int64_t batch, std::span<float> output);
  void repeat();
  std::vector<double> time(std::span<const float> input, std::int64_t batch, int rounds);

  std::shared_ptr<const Network> network;
  CudaOptions options;
  std::int64_t max_batch;
  cuda::Context context;
  std::string name;
  cuda::DeviceProgram program;
  std::int64_t in, out;  // values of an example
  cuda::Stream stream;
  cuda::Event last_run;
  Buffer arena, workspace;
  Buffer device_input, device_output;  // of run()
  Lane lanes[2];
  std::int64_t last_batch = 0;  // whose input is in device_input
  bool last_was_bytes = false;
  cuda::GraphCache graphs;  // which hold the addresses of the arena and the workspace
};

// Kernels, memory and the graph of a batch size. What fails leaves less memory than before, which
// the next call makes good.
void CudaSession::Impl::make_ready(std::int64_t batch) {
  // Kernels are timed with nothing else on the device.
  if (!program.is_prepared(batch)) wait_for_last_run();
  program.prepare(batch);
  const std::int64_t arena_bytes = program.arena_bytes(batch);
  const std::int64_t workspace_bytes = program.workspace_bytes(batch);
  if (arena_bytes > arena.bytes() || workspace_bytes > workspace.bytes()) {
    wait_for_last_run();
    graphs.clear();
    make_room(arena, arena_bytes, Buffer::on_device, "memory for the activations");
    if (workspace_bytes > workspace.bytes()) {
      make_room(workspace, workspace_bytes, Buffer::on_device, "memory for the layers' workspace");
      check(cudaMemsetAsync(workspace.get(), 0, cuda::kCounterBytes, stream.get()),
            "clearing the workspace");
      stream.wait();
    }
  }
  if (!options.graphs) return;
  graphs.get(batch, stream, [&] { program.run(batch, memory(), stream.get()); });
}

void CudaSession::Impl::launch(std::int64_t batch, cudaStream_t to) {
  if (!options.graphs) return program.run(batch, memory(), to);
  graphs.get(batch, stream, [&] { program.run(batch, memory(), stream.get()); }).replay(to);
}

// Runs on device memory, in order with what is on the stream and with the run before this one.
template <class T>
void CudaSession::Impl::compute(const T* input, std::int64_t batch, float* output,
                                cudaStream_t to) {
  check(cudaStreamWaitEvent(to, last_run.get(), 0), "waiting for the run before");
  program.take_input(input, batch, memory(), to);
  launch(batch, to);
  program.give_output(output, batch, memory(), to);
  check(cudaEventRecord(last_run.get(), to), "running the network");
}

// A part of a batch on its way there and back; lane.finish() waits for it.
template <class T>
void CudaSession::Impl::start(Lane& lane, std::span<const T> input, std::int64_t batch,
                              std::span<float> output) {
  const auto input_bytes = static_cast<std::int64_t>(input.size_bytes());
  const auto output_bytes = static_cast<std::int64_t>(output.size_bytes());
  make_ready(batch);
  make_room(device_input, input_bytes, Buffer::on_device, "memory for the input");
  make_room(device_output, output_bytes, Buffer::on_device, "memory for the output");
  lane.make_room_for(input_bytes, output_bytes);
  std::copy(input.begin(), input.end(), lane.input.get<T>());
  check(cudaMemcpyAsync(device_input.get(), lane.input.get(), input.size_bytes(),
                        cudaMemcpyHostToDevice, stream.get()),
        "copying the input");
  compute(device_input.get<T>(), batch, device_output.get<float>(), stream.get());
  check(cudaMemcpyAsync(lane.output.get(), device_output.get(), output.size_bytes(),
                        cudaMemcpyDeviceToHost, stream.get()),
        "copying the output");
  check(cudaEventRecord(lane.done.get(), stream.get()), "copying the output");
  lane.target = output;
  last_batch = batch;
  last_was_bytes = sizeof(T) == 1;
}

template <class T>
void CudaSession::Impl::run(std::span<const T> input, std::int64_t batch, std::span<float> output) {
  check_run_sizes(*network, input.size(), batch, output.size());
  context.use();
  // What a run before this one left there when it failed.
  stream.wait();
  for (Lane& lane : lanes) lane.target = {};
  for (std::int64_t first = 0; first < batch; first += max_batch) {
    const std::int64_t part = std::min(max_batch, batch - first);
    const auto values = [&](std::int64_t each, auto all) {
      return all.subspan(static_cast<std::size_t>(first * each),
                         static_cast<std::size_t>(part * each));
    };
    Lane& lane = lanes[first / max_batch % 2];
    lane.finish();
    start(lane, values(in, input), part, values(out, output));
  }
  for (Lane& lane : lanes) lane.finish();
}

void CudaSession::Impl::repeat() {
  if (last_batch == 0) return;
  make_ready(last_batch);
  auto* output = device_output.get<float>();
  if (last_was_bytes) {
    compute(device_input.get<std::uint8_t>(), last_batch, output, stream.get());
  } else {
    compute(device_input.get<float>(), last_batch, output, stream.get());
  }
  stream.wait();
}

// Runs are queued without waiting, and an event after each: what lies between two events is one
// run.
std::vector<double> CudaSession::Impl::time(std::span<const float> input, std::int64_t batch,
                                            int rounds) {
  constexpr int kUncounted = 3;
  std::vector<float> output(static_cast<std::size_t>(batch * out));
  run(input, batch, std::span(output));  // which leaves the input on the device
  std::vector<cuda::Event> ends(static_cast<std::size_t>(kUncounted + rounds));
  for (const cuda::Event& end : ends) {
    compute(device_input.get<float>(), batch, device_output.get<float>(), stream.get());
    check(cudaEventRecord(end.get(), stream.get()), "timing the network");
  }
  stream.wait();
  std::vector<double> microseconds;
  for (std::size_t i = kUncounted; i < ends.size(); ++i) {
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, ends[i - 1].get(), ends[i].get()),
          "timing the network");
    microseconds.push_back(1e3 * static_cast<double>(milliseconds));
  }
  return microseconds;
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): as it is declared.
CudaSession::CudaSession(std::shared_ptr<const Network> network, CudaOptions options) {
  TBN_CHECK(network != nullptr, "a session needs a network");
  try {
    impl_ = std::make_unique<Impl>(std::move(network), options);
  } catch (const std::bad_alloc&) {
    throw SystemError("out of memory while the network was made ready to run");
  }
}

CudaSession::~CudaSession() = default;
CudaSession::CudaSession(CudaSession&&) noexcept = default;
CudaSession& CudaSession::operator=(CudaSession&&) noexcept = default;

void CudaSession::run(std::span<const float> input, std::int64_t batch, std::span<float> output) {
  impl_->run(input, batch, output);
}

void CudaSession::run(std::span<const std::uint8_t> input, std::int64_t batch,
                      std::span<float> output) {
  impl_->run(input, batch, output);
}

void CudaSession::run_on_device(const float* input, std::int64_t batch, float* output,
                                void* stream) {
  if (batch < 0 || batch > impl_->max_batch) {
    throw ConfigError("batch must be between 0 and max_batch, " + std::to_string(impl_->max_batch) +
                      ", is " + std::to_string(batch));
  }
  if (batch == 0) return;
  impl_->context.use();
  impl_->make_ready(batch);
  impl_->compute(input, batch, output, static_cast<cudaStream_t>(stream));
}

void CudaSession::repeat() {
  impl_->context.use();
  impl_->repeat();
}

std::vector<double> CudaSession::time(std::span<const float> input, std::int64_t batch,
                                      int rounds) {
  impl_->check_one_part(batch);
  if (rounds < 0) throw ConfigError("rounds must be at least 0, are " + std::to_string(rounds));
  if (batch == 0) return std::vector<double>(static_cast<std::size_t>(rounds), 0.0);
  return impl_->time(input, batch, rounds);
}

const Network& CudaSession::network() const { return *impl_->network; }
const std::string& CudaSession::device_name() const { return impl_->name; }

CudaMemory CudaSession::memory() const {
  return {.weights = impl_->program.weight_bytes(),
          .activations =
              impl_->arena.bytes() + impl_->device_input.bytes() + impl_->device_output.bytes(),
          .workspace = impl_->workspace.bytes()};
}

std::vector<CudaKernelChoice> CudaSession::kernels(std::int64_t batch) const {
  // Larger batches ran in parts.
  const std::int64_t part = std::min(batch, impl_->max_batch);
  if (!impl_->program.is_prepared(part)) return {};
  return impl_->program.choices(part);
}

}  // namespace tbn
