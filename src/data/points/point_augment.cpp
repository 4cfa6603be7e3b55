// Draws and applies the random view of a cloud.
#include "data/points/point_augment.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tbn/error.h"

namespace tbn {
namespace {

constexpr std::int64_t kFewestPoints = 16;
constexpr std::int64_t kMostPoints = 65536;
constexpr double kJitterClip = 5;  // deviations

void check_range(const char* key, double value, double least, double most) {
  if (value >= least && value <= most) return;  // false for what is not a number
  throw ConfigError(fmt::format("data.points.{}: {} is out of range; it must be {} to {}", key,
                                value, least, most));
}

double between(CounterRng& rng, double low, double high) {
  return low + (high - low) * uniform(rng);
}

void rotate_all(const Rotation& rotation, const PointLayout& layout, std::span<float> points) {
  const auto columns = static_cast<std::size_t>(layout.columns);
  for (std::size_t i = 0; i < points.size(); i += columns) {
    rotate(rotation, &points[i]);
    if (layout.normals) rotate(rotation, &points[i + 3]);
  }
}

void jitter(double deviation, std::size_t columns, CounterRng& rng, std::span<float> points) {
  for (std::size_t i = 0; i < points.size(); i += columns) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const double noise = std::clamp(gaussian(rng), -kJitterClip, kJitterClip);
      points[i + axis] += static_cast<float>(deviation * noise);
    }
  }
}

void drop_points(double largest, std::size_t columns, CounterRng& rng, std::span<float> points,
                 std::span<std::int64_t> labels) {
  const double share = uniform(rng) * largest;
  for (std::size_t i = columns; i < points.size(); i += columns) {
    if (uniform(rng) >= share) continue;
    std::copy_n(points.begin(), columns, points.begin() + static_cast<std::ptrdiff_t>(i));
    if (!labels.empty()) labels[i / columns] = labels[0];
  }
}

}  // namespace

double uniform(CounterRng& rng) { return static_cast<double>(rng.next() >> 11) * 0x1p-53; }

double gaussian(CounterRng& rng) {
  const double radius = std::sqrt(-2 * std::log(1 - uniform(rng)));  // 1 - u is never 0
  return radius * std::cos(2 * std::numbers::pi * uniform(rng));
}

Rotation rotation_about(int axis, double angle) {
  TBN_CHECK(axis >= 0 && axis < 3, "rotation_about: an axis is 0, 1 or 2");
  const auto a = static_cast<std::size_t>((axis + 1) % 3);
  const auto b = static_cast<std::size_t>((axis + 2) % 3);
  Rotation r{};
  r[static_cast<std::size_t>(axis) * 4] = 1;
  r[a * 4] = r[b * 4] = std::cos(angle);
  r[a * 3 + b] = -std::sin(angle);
  r[b * 3 + a] = std::sin(angle);
  return r;
}

Rotation rotation_of(double a, double b, double c) {
  const double full = 2 * std::numbers::pi;
  const double x = std::sqrt(1 - a) * std::sin(full * b);
  const double y = std::sqrt(1 - a) * std::cos(full * b);
  const double z = std::sqrt(a) * std::sin(full * c);
  const double w = std::sqrt(a) * std::cos(full * c);
  return {1 - 2 * (y * y + z * z), 2 * (x * y - z * w),     2 * (x * z + y * w),
          2 * (x * y + z * w),     1 - 2 * (x * x + z * z), 2 * (y * z - x * w),
          2 * (x * z - y * w),     2 * (y * z + x * w),     1 - 2 * (x * x + y * y)};
}

void rotate(const Rotation& rotation, float* point) {
  const std::array<double, 3> p = {point[0], point[1], point[2]};
  for (std::size_t row = 0; row < 3; ++row) {
    const double* r = &rotation[3 * row];
    point[row] = static_cast<float>(r[0] * p[0] + r[1] * p[1] + r[2] * p[2]);
  }
}

void check_point_options(const PointOptions& options) {
  if (options.count < kFewestPoints || options.count > kMostPoints) {
    throw ConfigError(fmt::format("data.points.count: {} is out of range; it must be {} to {}",
                                  options.count, kFewestPoints, kMostPoints));
  }
  check_range("dropout", options.dropout, 0, 1);
  check_range("scale", options.scale, 1, 10);
  check_range("shift", options.shift, 0, 10);
  check_range("jitter", options.jitter, 0, 1);
}

void augment_points(const PointOptions& options, const PointLayout& layout, CounterRng rng,
                    std::span<float> points, std::span<std::int64_t> labels) {
  const auto columns = static_cast<std::size_t>(layout.columns);
  if (options.rotate == RotationAxes::kUp) {
    const double angle = between(rng, 0, 2 * std::numbers::pi);
    rotate_all(rotation_about(layout.up_axis, angle), layout, points);
  } else if (options.rotate == RotationAxes::kAll) {
    const double a = uniform(rng);
    const double b = uniform(rng);
    rotate_all(rotation_of(a, b, uniform(rng)), layout, points);
  }
  if (options.jitter > 0) jitter(options.jitter, columns, rng, points);
  if (options.scale > 1 || options.shift > 0) {
    const double scale = between(rng, 1 / options.scale, options.scale);
    std::array<double, 3> shift{};
    for (double& along : shift) along = between(rng, -options.shift, options.shift);
    for (std::size_t i = 0; i < points.size(); ++i) {
      const std::size_t axis = i % columns;
      if (axis < 3) points[i] = static_cast<float>(points[i] * scale + shift[axis]);
    }
  }
  if (options.dropout > 0) drop_points(options.dropout, columns, rng, points, labels);
}

}  // namespace tbn
