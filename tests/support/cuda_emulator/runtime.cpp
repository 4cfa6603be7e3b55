// The functions of CUDA's run-time library that tbn calls, on host memory. Each allocation ends at
// a page that must not be touched, and holds no useful value at first.
#include "support/cuda_emulator/stream.h"

#include <cuda.h>
#include <sys/mman.h>

#include <chrono>
#include <cstddef>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/cuda_emulator/tensor_map.h"

struct CUstream_st {
  std::unique_ptr<CUgraph_st> captured;
};
struct CUgraph_st {
  std::vector<std::function<void()>> work;
};
struct CUgraphExec_st {
  std::vector<std::function<void()>> work;
};
struct CUevent_st {
  std::chrono::steady_clock::time_point time;
};

namespace {

constexpr std::size_t kPage = 4096;
constexpr int kRuntime = 13000;

struct Device {
  int count = 1;
  std::size_t memory = std::size_t{8} << 30;
  std::size_t used = 0;
  int driver = kRuntime;
  int major = 9, minor = 0;
  std::map<void*, std::pair<void*, std::size_t>> allocations;  // their mapping and its size
  std::map<void*, std::size_t> sizes;
  cudaError_t last = cudaSuccess;
};

Device& device() {
  static Device one;
  return one;
}

cudaError_t result(cudaError_t error) {
  if (error != cudaSuccess) device().last = error;
  return error;
}

cudaError_t usable() {
  if (device().driver < kRuntime) return result(cudaErrorInsufficientDriver);
  if (device().count == 0) return result(cudaErrorNoDevice);
  return cudaSuccess;
}

cudaError_t allocate(void** out, std::size_t bytes) {
  const std::size_t pages = (bytes + kPage - 1) / kPage * kPage;
  void* mapping =
      mmap(nullptr, pages + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return result(cudaErrorMemoryAllocation);
  auto* begin = static_cast<unsigned char*>(mapping);
  mprotect(begin + pages, kPage, PROT_NONE);
  std::memset(begin, 0xff, pages);
  // As close to the end as the alignment of CUDA's smallest promise that tbn relies on.
  constexpr std::size_t kAlignment = 256;
  unsigned char* memory = begin + (pages - (bytes + kAlignment - 1) / kAlignment * kAlignment);
  if (bytes % kAlignment != 0 && bytes < kPage) memory = begin + (pages - (bytes + 15) / 16 * 16);
  *out = memory;
  device().allocations[memory] = {mapping, pages + kPage};
  device().sizes[memory] = bytes;
  return cudaSuccess;
}

// What cudaMemcpy and cudaMemset have begun on the stream that has no handle. They return before
// the device's memory has its new values, and streams that do not block, the only ones here that
// have handles, do not wait for them.
std::vector<std::function<void()>>& begun() {
  static std::vector<std::function<void()>> all;
  return all;
}
void finish_begun() {
  for (const auto& work : begun()) work();
  begun().clear();
}

void release(void* memory) {
  const auto found = device().allocations.find(memory);
  if (found == device().allocations.end()) return;
  munmap(found->second.first, found->second.second);
  device().allocations.erase(found);
  device().sizes.erase(memory);
}

}  // namespace

namespace cuda_emulator {

void on_stream(cudaStream_t stream, std::function<void()> work) {
  if (stream != nullptr && stream->captured != nullptr) {
    stream->captured->work.push_back(std::move(work));
    return;
  }
  if (stream == nullptr) finish_begun();
  work();
}

void set_devices(int count) { device().count = count; }
void set_memory(std::size_t bytes) { device().memory = bytes; }
std::size_t used_memory() { return device().used; }
void set_driver(int version) { device().driver = version; }
void set_compute_capability(int major, int minor) {
  device().major = major;
  device().minor = minor;
}

}  // namespace cuda_emulator

extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 0;
  if (device().driver < kRuntime) return result(cudaErrorInsufficientDriver);
  if (device().count == 0) return result(cudaErrorNoDevice);
  *count = device().count;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int index) {
  if (const cudaError_t error = usable(); error != cudaSuccess) return error;
  return index < device().count ? cudaSuccess : result(cudaErrorInvalidDevice);
}

cudaError_t cudaGetDevice(int* index) {
  *index = 0;
  return usable();
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {};
  std::strcpy(properties->name, "emulated device");
  properties->major = device().major;
  properties->minor = device().minor;
  properties->multiProcessorCount = 4;
  properties->totalGlobalMem = device().memory;
  properties->sharedMemPerBlockOptin = 227 * 1024;
  properties->l2CacheSize = 1 << 20;
  return usable();
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = device().driver;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = kRuntime;
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  *total = device().memory;
  *free = device().memory - device().used;
  return usable();
}

cudaError_t cudaMalloc(void** out, std::size_t bytes) {
  if (const cudaError_t error = usable(); error != cudaSuccess) return error;
  if (bytes > device().memory - device().used) return result(cudaErrorMemoryAllocation);
  const cudaError_t error = allocate(out, bytes);
  if (error == cudaSuccess) device().used += bytes;
  return error;
}
cudaError_t cudaFree(void* memory) {
  finish_begun();
  const auto found = device().sizes.find(memory);
  if (found != device().sizes.end()) device().used -= found->second;
  release(memory);
  return cudaSuccess;
}
cudaError_t cudaMallocHost(void** out, std::size_t bytes) {
  if (const cudaError_t error = usable(); error != cudaSuccess) return error;
  return allocate(out, bytes);
}
cudaError_t cudaFreeHost(void* memory) {
  release(memory);
  return cudaSuccess;
}

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  finish_begun();
  if (kind != cudaMemcpyHostToDevice) {
    std::memcpy(to, from, bytes);
    return cudaSuccess;
  }
  const auto* const values = static_cast<const std::byte*>(from);
  begun().push_back([to, taken = std::vector<std::byte>(values, values + bytes)] {
    std::memcpy(to, taken.data(), taken.size());
  });
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind,
                            cudaStream_t stream) {
  cuda_emulator::on_stream(stream, [=] { std::memcpy(to, from, bytes); });
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  cuda_emulator::on_stream(stream, [=] { std::memset(to, value, bytes); });
  return cudaSuccess;
}
cudaError_t cudaMemset(void* to, int value, std::size_t bytes) {
  begun().push_back([=] { std::memset(to, value, bytes); });
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  if (const cudaError_t error = usable(); error != cudaSuccess) return error;
  *stream = new CUstream_st;
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (stream == nullptr) finish_begun();
  // A stream that is being captured must not be waited for.
  return stream != nullptr && stream->captured != nullptr
             ? result(cudaErrorStreamCaptureUnsupported)
             : cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() {
  finish_begun();
  return usable();
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  stream->captured = std::make_unique<CUgraph_st>();
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = stream->captured.release();
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long) {
  *executable = new CUgraphExec_st{graph->work};
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  if (stream == nullptr) finish_begun();
  for (const auto& work : executable->work) work();
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete executable;
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  if (const cudaError_t error = usable(); error != cudaSuccess) return error;
  *event = new CUevent_st;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t) {
  event->time = std::chrono::steady_clock::now();
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  *milliseconds = std::chrono::duration<float, std::milli>(end->time - start->time).count();
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned) { return cudaSuccess; }

cudaError_t cudaGetLastError() { return std::exchange(device().last, cudaSuccess); }
const char* cudaGetErrorName(cudaError_t error) {
  return error == cudaErrorNoDevice ? "cudaErrorNoDevice" : "an emulated error";
}
const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaErrorNoDevice ? "no CUDA-capable device is detected" : "it failed";
}

cudaError_t cudaGetDriverEntryPointByVersion(const char* symbol, void** function, unsigned,
                                             unsigned long long,
                                             cudaDriverEntryPointQueryResult* found) {
  *function = cuda_emulator::driver_function(symbol);
  *found = *function != nullptr ? cudaDriverEntryPointSuccess : cudaDriverEntryPointSymbolNotFound;
  return cudaSuccess;
}

}  // extern "C"
