// One device as a session uses it: what it can do, and the libraries opened on it.
#pragma once

#include <any>
#include <cstdint>
#include <memory>
#include <string>

namespace tbn::cuda {

class MatrixLibrary;

struct DeviceInfo {
  int index = 0;
  std::string name;    // "NVIDIA H200"
  int capability = 0;  // 75, 80, 90, ...
  int multiprocessors = 1;
  std::int64_t memory = 0;               // bytes
  std::int64_t shared_bytes = 48 << 10;  // that a block may ask for
};

class Context {
 public:
  // Makes device `index` the calling thread's. Throws ConfigError where this machine has no such
  // device, SystemError where its driver is too old.
  explicit Context(int index);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const DeviceInfo& device() const { return device_; }
  // Makes the device the calling thread's, whichever that is.
  void use() const;
  // Null where cuBLASLt is not installed.
  MatrixLibrary* matrices() const { return matrices_.get(); }
  // What a level above keeps with the device, as which kernels are quickest on it: made at the
  // first call, and one type of a context.
  template <class T>
  T& kept() {
    if (!kept_.has_value()) kept_.emplace<T>();
    return std::any_cast<T&>(kept_);
  }

 private:
  DeviceInfo device_;
  std::unique_ptr<MatrixLibrary> matrices_;
  std::any kept_;
};

}  // namespace tbn::cuda
