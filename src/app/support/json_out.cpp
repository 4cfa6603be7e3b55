// The one place where a tool writes JSON.
#include "app/support/json_out.h"

#include <cstdio>

#include "tbn/error.h"

namespace tbn {

void print_json(const Json& document) {
  const std::string text = document.pretty();
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw SystemError("the standard output cannot be written (is the disk full?)");
  }
}

}  // namespace tbn
