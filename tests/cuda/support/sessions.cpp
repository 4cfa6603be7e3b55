// What tests of sessions share.
#include "cuda/support/sessions.h"

#include <cmath>
#include <limits>

#include "runtime/cuda/context.h"
#include "support/catch.h"
#include "support/random_model.h"
#include "tbn/error.h"

namespace tbn::cuda::test {

bool device_here() {
  try {
    const Context device(0);
    return true;
  } catch (const Error& error) {
    WARN("skipped: " << error.what());
    return false;
  }
}

CudaOptions quick(Precision precision) { return {.precision = precision, .tune = false}; }

std::vector<float> run(CudaSession& session, const std::vector<float>& input, std::int64_t batch) {
  const std::int64_t outputs = batch * element_count(session.network().output_shape());
  std::vector<float> output(static_cast<std::size_t>(outputs),
                            std::numeric_limits<float>::quiet_NaN());
  session.run(input, batch, output);
  return output;
}

std::vector<float> exact_values(std::int64_t count, std::uint64_t seed, double low, double high) {
  std::vector<float> values = tbn::test::random_values(count, seed, low, high);
  // bfloat16 has eight binary digits.
  const float step = static_cast<float>(std::max(-low, high)) / 128;
  for (float& value : values) value = std::trunc(value / step) * step;
  return values;
}

}  // namespace tbn::cuda::test
