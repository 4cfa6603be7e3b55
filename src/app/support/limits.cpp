// Reads the limits.
#include "app/support/limits.h"

#include <limits>

namespace tbn {

void add_limit_options(CommandLine& line) {
  line.value("max-memory", "bytes",
             "refuse packed files of more weights and activations for an example (2 GiB)")
      .value("max-operations", "count",
             "refuse packed files of more operations for an example (10^12)");
}

Limits limits_of(const CommandLine& line) {
  constexpr long long kMost = std::numeric_limits<std::int64_t>::max();
  Limits limits;
  if (line.has("max-memory")) limits.memory_bytes = line.number("max-memory", 1, kMost);
  if (line.has("max-operations")) limits.operations = line.number("max-operations", 1, kMost);
  return limits;
}

}  // namespace tbn
