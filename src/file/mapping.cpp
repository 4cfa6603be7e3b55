// Maps files (POSIX).
#include "file/mapping.h"

#include <sys/mman.h>

namespace tbn {

std::shared_ptr<const Mapping> Mapping::of(int descriptor, std::uint64_t size) {
  const std::shared_ptr<Mapping> mapping(new Mapping);  // before there is something to lose
  void* const start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (start == MAP_FAILED) return nullptr;
  mapping->bytes_ = {static_cast<const std::byte*>(start), size};
  return mapping;
}

Mapping::~Mapping() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace tbn
