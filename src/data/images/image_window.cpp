// Random windows.
#include "data/images/image_window.h"

#include <cmath>

namespace tbn {
namespace {

constexpr int kAttempts = 10;
constexpr double kMinRatio = 3.0 / 4.0;
constexpr double kMaxRatio = 4.0 / 3.0;

double uniform(CounterRng& rng, double low, double high) {
  return low + (high - low) * static_cast<double>(rng.next() >> 11) * 0x1p-53;
}

ResizeBox central(std::int64_t height, std::int64_t width, double box_height, double box_width) {
  return {.top = std::floor((static_cast<double>(height) - box_height) / 2),
          .left = std::floor((static_cast<double>(width) - box_width) / 2),
          .height = box_height,
          .width = box_width};
}

}  // namespace

ResizeBox random_window(std::int64_t height, std::int64_t width, double min_area, CounterRng& rng) {
  const auto rows = static_cast<double>(height);
  const auto columns = static_cast<double>(width);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const double area = rows * columns * uniform(rng, min_area, 1);
    const double ratio = std::exp(uniform(rng, std::log(kMinRatio), std::log(kMaxRatio)));
    const auto w = std::llround(std::sqrt(area * ratio));
    const auto h = std::llround(std::sqrt(area / ratio));
    if (w <= 0 || h <= 0 || w > width || h > height) continue;
    const std::uint32_t top = rng.below(static_cast<std::uint32_t>(height - h + 1));
    const std::uint32_t left = rng.below(static_cast<std::uint32_t>(width - w + 1));
    return {static_cast<double>(top), static_cast<double>(left), static_cast<double>(h),
            static_cast<double>(w)};
  }
  const double ratio = columns / rows;
  if (ratio < kMinRatio) return central(height, width, std::round(columns / kMinRatio), columns);
  if (ratio > kMaxRatio) return central(height, width, rows, std::round(rows * kMaxRatio));
  return central(height, width, rows, columns);
}

}  // namespace tbn
