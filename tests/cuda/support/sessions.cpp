// What tests of sessions share.
#include "cuda/support/sessions.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "support/naive_eval.h"
#include "support/random_model.h"

namespace tbn::cuda::test {

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

double session_error(const Model& packed, Precision precision, std::int64_t batch) {
  const std::int64_t each = element_count(packed.graph.input_shape());
  const std::vector<float> input = exact_values(batch * each, 99);
  std::vector<double> expected;
  for (std::int64_t i = 0; i < batch; ++i) {
    const auto example = std::span(input).subspan(static_cast<std::size_t>(i * each),
                                                  static_cast<std::size_t>(each));
    const std::vector<double> one = tbn::test::naive_eval(packed, example);
    expected.insert(expected.end(), one.begin(), one.end());
  }
  CudaSession session(Network::from(packed), quick(precision));
  return tbn::test::relative_error(run(session, input, batch), expected);
}

// In 16 bits every value between two ops is rounded, to 11 or 8 binary digits, and so are float
// weights; a unit in the last place is 2^-10 or 2^-7. Measured over all ops: at most 4e-7, 2^-11
// and 2^-7.7.
double allowed_session_error(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return 1e-5;
    case Precision::kFp16:
      return 0x1p-10;
    case Precision::kBf16:
      return 0x1p-7;
  }
  return 0;
}

}  // namespace tbn::cuda::test
