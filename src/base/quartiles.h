// The quartiles of measurements.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace tbn {

struct Quartiles {
  double low = 0;
  double median = 0;
  double high = 0;
};

// The quartiles of at least one value; each is the nearest that was measured.
inline Quartiles quartiles(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1) + 0.5)];
  };
  return {at(0.25), at(0.5), at(0.75)};
}

}  // namespace tbn
