// Sums in double; what is rounded to float is the moved and scaled coordinate, once.
#include "prepare/points.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "tbn/error.h"

namespace tbn {
namespace {

std::array<double, 3> mean_of(std::span<const float> points, std::size_t stride) {
  std::array<double, 3> mean{};
  for (std::size_t i = 0; i < points.size(); i += stride) {
    for (std::size_t axis = 0; axis < 3; ++axis) mean[axis] += points[i + axis];
  }
  const std::size_t count = points.size() / stride;
  for (double& along : mean) along /= static_cast<double>(count);
  return mean;
}

// Squared, of the farthest point from `origin`.
double farthest_from(const std::array<double, 3>& origin, std::span<const float> points,
                     std::size_t stride) {
  double farthest = 0;
  for (std::size_t i = 0; i < points.size(); i += stride) {
    double squared = 0;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const double from_origin = points[i + axis] - origin[axis];
      squared += from_origin * from_origin;
    }
    farthest = std::max(farthest, squared);
  }
  return farthest;
}

}  // namespace

void move_and_scale(std::span<float> points, std::int64_t columns, bool centre, bool scale) {
  TBN_CHECK(columns >= 3 && points.size() % static_cast<std::size_t>(columns) == 0,
            "move_and_scale: these are no points");
  if (points.empty() || !(centre || scale)) return;
  const auto stride = static_cast<std::size_t>(columns);
  const std::array<double, 3> origin = centre ? mean_of(points, stride) : std::array<double, 3>{};
  const double farthest = scale ? farthest_from(origin, points, stride) : 0;
  const double factor = farthest > 0 ? 1 / std::sqrt(farthest) : 1;
  for (std::size_t i = 0; i < points.size(); i += stride) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      points[i + axis] = static_cast<float>((points[i + axis] - origin[axis]) * factor);
    }
  }
}

void fit_unit_sphere(std::span<float> points, std::int64_t columns) {
  move_and_scale(points, columns, true, true);
}

std::vector<std::int64_t> choose_points(std::int64_t count, std::int64_t wanted, bool drawn,
                                        CounterRng rng) {
  TBN_CHECK(count > 0 && wanted > 0, "choose_points: there is nothing to choose");
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  const auto most = static_cast<std::size_t>(wanted);
  if (most < order.size() && drawn) {
    for (std::size_t i = 0; i < most; ++i) {
      const auto left = static_cast<std::uint32_t>(order.size() - i);
      std::swap(order[i], order[i + rng.below(left)]);
    }
  }
  order.resize(std::min(order.size(), most));
  while (order.size() < most) order.push_back(rng.below(static_cast<std::uint32_t>(count)));
  return order;
}

}  // namespace tbn
