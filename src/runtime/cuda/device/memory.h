// Owners of what CUDA hands out: memory, streams, events and graphs.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "base/function_ref.h"

namespace tbn::cuda {

// Memory of the device or, pinned, of the host.
class Buffer {
 public:
  Buffer() = default;
  // Uninitialised; `what` is named where there is too little memory.
  static Buffer on_device(std::int64_t bytes, const char* what);
  static Buffer pinned(std::int64_t bytes, const char* what);
  // A copy of host memory on the device; waits for it.
  template <class T>
  static Buffer copy_of(std::span<const T> values, const char* what) {
    return copy_of_bytes(std::as_bytes(values), what);
  }

  template <class T = void>
  T* get() const {
    return static_cast<T*>(memory_.get());
  }
  std::int64_t bytes() const { return bytes_; }

 private:
  static Buffer copy_of_bytes(std::span<const std::byte> bytes, const char* what);
  using Memory = std::unique_ptr<void, void (*)(void*)>;
  Buffer(Memory memory, std::int64_t bytes) : memory_(std::move(memory)), bytes_(bytes) {}

  Memory memory_{nullptr, [](void*) {}};
  std::int64_t bytes_ = 0;
};

class Stream {
 public:
  Stream();
  cudaStream_t get() const { return stream_.get(); }
  void wait() const;

 private:
  std::unique_ptr<CUstream_st, void (*)(cudaStream_t)> stream_;
};

class Event {
 public:
  Event();
  cudaEvent_t get() const { return event_.get(); }

 private:
  std::unique_ptr<CUevent_st, void (*)(cudaEvent_t)> event_;
};

// What was launched on a stream, to be replayed.
class LaunchGraph {
 public:
  // Captures what `launches` puts on the stream, without running it.
  LaunchGraph(const Stream& stream, FunctionRef<void()> launches);
  void replay(cudaStream_t stream) const;

 private:
  std::unique_ptr<CUgraphExec_st, void (*)(cudaGraphExec_t)> executable_;
};

}  // namespace tbn::cuda
