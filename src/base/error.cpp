// The one place that raises an InternalError for a failed TBN_CHECK.
#include "tbn/error.h"

namespace tbn {

void fail_check(const char* condition, const char* file, int line, const std::string& message) {
  throw InternalError("internal error: " + message + " (" + condition + " failed at " + file + ":" +
                      std::to_string(line) + "); please report it");
}

}  // namespace tbn
