// Owners of CUDA's handles. What fails in a destructor has failed before, and was reported then.
#include "runtime/cuda/device/memory.h"

#include "runtime/cuda/device/status.h"

namespace tbn::cuda {

Buffer Buffer::on_device(std::int64_t bytes, const char* what) {
  if (bytes == 0) return {};
  void* memory = nullptr;
  check(cudaMalloc(&memory, static_cast<std::size_t>(bytes)), what);
  return {Memory(memory, [](void* m) { cudaFree(m); }), bytes};
}

Buffer Buffer::pinned(std::int64_t bytes, const char* what) {
  if (bytes == 0) return {};
  void* memory = nullptr;
  check(cudaMallocHost(&memory, static_cast<std::size_t>(bytes)), what);
  return {Memory(memory, [](void* m) { cudaFreeHost(m); }), bytes};
}

Buffer Buffer::copy_of_bytes(std::span<const std::byte> bytes, const char* what) {
  Buffer copy = on_device(static_cast<std::int64_t>(bytes.size()), what);
  if (bytes.empty()) return copy;
  check(cudaMemcpy(copy.get(), bytes.data(), bytes.size(), cudaMemcpyHostToDevice), what);
  // It returns when the values have been taken, which may be before they have come (CUDA Runtime
  // API, "API synchronization behavior"), and streams that do not block do not wait for it.
  check(cudaStreamSynchronize(nullptr), what);
  return copy;
}

Stream::Stream() : stream_(nullptr, [](cudaStream_t s) { cudaStreamDestroy(s); }) {
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "making a stream");
  stream_.reset(stream);
}

void Stream::wait() const { check(cudaStreamSynchronize(get()), "running the network"); }

Event::Event() : event_(nullptr, [](cudaEvent_t e) { cudaEventDestroy(e); }) {
  cudaEvent_t event = nullptr;
  check(cudaEventCreate(&event), "making an event");
  event_.reset(event);
}

LaunchGraph::LaunchGraph(const Stream& stream, FunctionRef<void()> launches)
    : executable_(nullptr, [](cudaGraphExec_t e) { cudaGraphExecDestroy(e); }) {
  check(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal),
        "capturing a graph");
  cudaGraph_t captured = nullptr;
  try {
    launches();
  } catch (...) {
    cudaStreamEndCapture(stream.get(), &captured);
    if (captured != nullptr) cudaGraphDestroy(captured);
    throw;
  }
  check(cudaStreamEndCapture(stream.get(), &captured), "capturing a graph");
  const std::unique_ptr<CUgraph_st, void (*)(cudaGraph_t)> graph(
      captured, [](cudaGraph_t g) { cudaGraphDestroy(g); });
  cudaGraphExec_t executable = nullptr;
  check(cudaGraphInstantiate(&executable, graph.get(), 0), "making a graph ready");
  executable_.reset(executable);
}

void LaunchGraph::replay(cudaStream_t stream) const {
  check(cudaGraphLaunch(executable_.get(), stream), "replaying a graph");
}

}  // namespace tbn::cuda
