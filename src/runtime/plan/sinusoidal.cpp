// A rate for each pair of features, an angle for each token.
#include "runtime/plan/sinusoidal.h"

#include <cmath>

namespace tbn {

std::vector<float> sinusoidal_table(std::int64_t tokens, std::int64_t features) {
  std::vector<double> rates;
  for (std::int64_t f = 0; f < features; ++f) {
    const std::int64_t pair = f / 2;
    const double exponent = static_cast<double>(2 * pair) / static_cast<double>(features);
    rates.push_back(std::pow(10000.0, -exponent));
  }
  std::vector<float> table;
  table.reserve(static_cast<std::size_t>(tokens * features));
  for (std::int64_t t = 0; t < tokens; ++t) {
    for (std::size_t f = 0; f < rates.size(); ++f) {
      const double angle = static_cast<double>(t) * rates[f];
      table.push_back(static_cast<float>(f % 2 == 0 ? std::sin(angle) : std::cos(angle)));
    }
  }
  return table;
}

}  // namespace tbn
