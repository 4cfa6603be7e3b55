// What the handles of the C interface hold, and the check of pointers that all its files share.
#pragma once

#include <memory>
#include <string>

#include "runtime/c_errors.h"
#include "tbn/runtime.h"

struct tbn_network {
  std::shared_ptr<const tbn::Network> shared;
};

struct tbn_session {
  tbn::Session session;
};

namespace tbn::c {

inline void require(const void* argument, const char* name) {
  if (argument == nullptr) throw ConfigError(std::string(name) + " must not be null");
}

}  // namespace tbn::c
