// What a callable launches on a CUDA device, recorded once as a CUDA graph and replayed with one
// launch. No CUDA type in this header.
#pragma once

#include <functional>
#include <memory>

#include <c10/core/Device.h>

namespace tbn {

//   RecordedCall call(device);
//   call.warm_up([&] { y = network.forward(x); });   // a few times: kernels are chosen
//   call.record([&] { y = network.forward(x); });    // computes nothing
//   x.copy_(next); call.replay();                    // y has the answer
//
// The callable must not wait for the device, and takes what changes between replays from tensors
// that stay. On a CPU, which has no graphs, a replay calls the callable: what is recorded around it
// is tested so.
class RecordedCall {
 public:
  explicit RecordedCall(c10::Device device);
  ~RecordedCall();
  RecordedCall(const RecordedCall&) = delete;
  RecordedCall& operator=(const RecordedCall&) = delete;

  // Calls `work` on the stream that record() will use, and waits for it.
  void warm_up(const std::function<void()>& work);

  // Records `work` without computing it, in place of what was recorded before; the tensors that it
  // makes live as long as the recording. Throws SystemError where it cannot be recorded.
  void record(std::function<void()> work);

  bool recorded() const { return recorded_; }

  // Computes what was recorded, on the current stream, without waiting for it.
  void replay();

 private:
  struct Graph;  // of CUDA

  c10::Device device_;
  bool recorded_ = false;
  std::function<void()> work_;    // CPU
  std::unique_ptr<Graph> graph_;  // CUDA
};

// Waits until the device has done everything; on a CPU there is nothing to wait for.
void wait_for(c10::Device device);

}  // namespace tbn
