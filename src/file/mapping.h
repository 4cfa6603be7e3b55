// A file's bytes as memory, without a copy: read-only, shared with every other process that maps
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace tbn {

// Outlives its descriptor and the file's name, but not the file's contents: reading where the file
// has been cut off since is a SIGBUS, and what is written into it may show. So model files are
// replaced by renaming, as atomic_write.h does, never changed in place.
class Mapping {
 public:
  // The first `size` bytes, at least 1; null where the system cannot map this file (some network
  // and user space file systems): the caller then reads it.
  static std::shared_ptr<const Mapping> of(int descriptor, std::uint64_t size);
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  // Starts at a page.
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  Mapping() = default;

  std::span<const std::byte> bytes_;
};

}  // namespace tbn
