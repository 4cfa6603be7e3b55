// Recording on a stream of its own; without CUDA there is only the CPU's way.
#include "train/step/cuda_graph.h"

#include <string>
#include <utility>

#ifdef TBN_WITH_CUDA
#include <ATen/cuda/CUDAContext.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#endif

#include "tbn/error.h"

namespace tbn {

#ifdef TBN_WITH_CUDA

struct RecordedCall::Graph {
  explicit Graph(c10::Device device)
      : stream(at::cuda::getStreamFromPool(/*isHighPriority=*/false, device.index())) {}

  at::cuda::CUDAStream stream;
  std::unique_ptr<at::cuda::CUDAGraph> graph;
};

namespace {

// Ends a capture whatever happens in it: a stream that is left capturing would refuse all work.
void capture(at::cuda::CUDAGraph& graph, const std::function<void()>& work) {
  graph.capture_begin();
  try {
    work();
  } catch (...) {
    try {
      graph.capture_end();
    } catch (const c10::Error&) {  // NOLINT(bugprone-empty-catch)
      // What broke the capture is the error to report.
    }
    throw;
  }
  graph.capture_end();
}

}  // namespace

void RecordedCall::warm_up(const std::function<void()>& work) {
  if (!device_.is_cuda()) return work();
  wait_for(device_);
  {
    const c10::cuda::CUDAStreamGuard guard(graph_->stream);
    work();
  }
  wait_for(device_);
}

void RecordedCall::record(std::function<void()> work) {
  recorded_ = false;
  if (!device_.is_cuda()) {
    work_ = std::move(work);
  } else {
    wait_for(device_);
    graph_->graph = std::make_unique<at::cuda::CUDAGraph>();
    try {
      const c10::cuda::CUDAStreamGuard guard(graph_->stream);
      capture(*graph_->graph, work);
    } catch (const c10::Error& error) {
      throw SystemError(std::string("the CUDA graph could not be recorded: ") +
                        error.what_without_backtrace());
    }
    wait_for(device_);
  }
  recorded_ = true;
}

void RecordedCall::replay() {
  TBN_CHECK(recorded_, "nothing was recorded");
  device_.is_cuda() ? graph_->graph->replay() : work_();
}

void wait_for(c10::Device device) {
  if (!device.is_cuda()) return;
  const c10::cuda::CUDAGuard guard(device);
  c10::cuda::device_synchronize();
}

RecordedCall::RecordedCall(c10::Device device)
    : device_(device), graph_(device.is_cuda() ? std::make_unique<Graph>(device) : nullptr) {}

#else

struct RecordedCall::Graph {};

void RecordedCall::warm_up(const std::function<void()>& work) { work(); }

void RecordedCall::record(std::function<void()> work) {
  work_ = std::move(work);
  recorded_ = true;
}

void RecordedCall::replay() {
  TBN_CHECK(recorded_, "nothing was recorded");
  work_();
}

// resolve_device() gives no other device in such a build.
void wait_for(c10::Device device) { TBN_CHECK(device.is_cpu(), "this build has no CUDA"); }

RecordedCall::RecordedCall(c10::Device device) : device_(device) { wait_for(device_); }

#endif

RecordedCall::~RecordedCall() = default;

}  // namespace tbn
