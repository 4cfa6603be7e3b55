// The branch-free functions against the standard library's in double.
#include "runtime/cpu/common/vector_math.h"

#include <cmath>
#include <limits>

#include "support/catch.h"

using namespace tbn::cpu;

namespace {
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
}  // namespace

TEST_CASE("vector_exp is e^x within two units in the last place wherever that is normal") {
  double worst = 0;
  for (double x = -87.3; x < 88.7; x += 1.0 / 1024) {
    const auto at = static_cast<float>(x);
    const double exact = std::exp(static_cast<double>(at));
    worst = std::max(worst, std::abs(static_cast<double>(vector_exp(at)) - exact) / exact);
  }
  CHECK(worst < 2.4e-7);
  CHECK(vector_exp(0) == 1);
  CHECK(vector_exp(-88) == 0);
  CHECK(vector_exp(-kInfinity) == 0);
  CHECK(vector_exp(89) == kInfinity);
  CHECK(vector_exp(kInfinity) == kInfinity);
  CHECK(std::isnan(vector_exp(kNan)));
}

TEST_CASE("vector_normal is the normal distribution within 3e-7") {
  double worst = 0;
  for (double x = -12; x < 12; x += 1.0 / 1024) {
    const auto at = static_cast<float>(x);
    const double exact = 0.5 * std::erfc(-static_cast<double>(at) / std::sqrt(2.0));
    worst = std::max(worst, std::abs(static_cast<double>(vector_normal(at)) - exact));
  }
  CHECK(worst < 3e-7);
  CHECK(vector_normal(kInfinity) == 1);
  CHECK(vector_normal(-kInfinity) == 0);
  CHECK(std::isnan(vector_normal(kNan)));
}
