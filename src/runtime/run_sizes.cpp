// Compares sizes without a product that could wrap around to a size that fits.
#include "runtime/run_sizes.h"

#include <string>

#include "base/counted.h"
#include "tbn/error.h"

namespace tbn {
namespace {

void check_size(const char* what, std::size_t given, std::int64_t batch, const Shape& shape) {
  const auto each = static_cast<std::size_t>(element_count(shape));
  const auto examples = static_cast<std::size_t>(batch);
  const bool fits = each == 0 || examples == 0 ? given == each * examples
                                               : given % each == 0 && given / each == examples;
  if (fits) return;
  throw ConfigError(
      std::string(what) + " holds " + counted(static_cast<std::int64_t>(given), "value") +
      ", but " + counted(batch, "example") + " of " + to_string(shape) +
      (batch == 1 ? " is " : " are ") + std::to_string(batch) + " times " + std::to_string(each));
}

}  // namespace

void check_run_sizes(const Network& network, std::size_t input, std::int64_t batch,
                     std::size_t output) {
  if (batch < 0) throw ConfigError("batch must be at least 0, is " + std::to_string(batch));
  check_size("input", input, batch, network.input_shape());
  check_size("output", output, batch, network.output_shape());
}

}  // namespace tbn
