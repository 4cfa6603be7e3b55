// Ten solids of random proportions: a generated set for classification.
#include <iterator>
#include <numbers>

#include "data/points/generated_clouds.h"
#include "data/points/point_augment.h"
#include "data/points/points.h"

namespace tbn {
namespace {

constexpr double kRound = 2 * std::numbers::pi;

double between(CounterRng& rng, double low, double high) {
  return low + (high - low) * uniform(rng);
}

Surface sphere(CounterRng&) {
  Surface s;
  add_ellipsoid(s, {0, 0, 0}, {1, 1, 1});
  return s;
}

// Longer along one axis than along the others, so that it is no sphere.
Surface ellipsoid(CounterRng& rng) {
  Point3 half = {between(rng, 0.5, 0.8), between(rng, 0.5, 0.8), between(rng, 0.5, 0.8)};
  half[rng.below(3)] = 1;
  Surface s;
  add_ellipsoid(s, {0, 0, 0}, half);
  return s;
}

Surface box(CounterRng& rng) {
  Surface s;
  add_box(s, {0, 0, 0}, {between(rng, 0.8, 1.6), between(rng, 0.8, 1.6), between(rng, 0.8, 1.6)});
  return s;
}

Surface cylinder(CounterRng& rng) {
  const double radius = between(rng, 0.4, 0.8);
  const double height = between(rng, 1, 2);
  Surface s;
  add_frustum(s, {0, -height / 2, 0}, radius, radius, height);
  add_ring(s, {0, -height / 2, 0}, 0, radius);
  add_ring(s, {0, height / 2, 0}, 0, radius);
  return s;
}

Surface cone(CounterRng& rng) {
  const double radius = between(rng, 0.5, 1);
  const double height = between(rng, 1, 2);
  Surface s;
  add_frustum(s, {0, -height / 2, 0}, radius, 0, height);
  add_ring(s, {0, -height / 2, 0}, 0, radius);
  return s;
}

Surface torus(CounterRng& rng) {
  const double small = between(rng, 0.15, 0.35);
  Surface s;
  add_torus(s, {0, 0, 0}, 1 - small, small, rng.coin(), 0, kRound);
  return s;
}

Surface pyramid(CounterRng& rng) {
  const double x = between(rng, 0.6, 0.9);
  const double z = between(rng, 0.6, 0.9);
  const double y = between(rng, 0.5, 0.9);
  const Point3 top = {0, y, 0};
  const Point3 corners[4] = {{-x, -y, -z}, {x, -y, -z}, {x, -y, z}, {-x, -y, z}};
  Surface s;
  for (int i = 0; i < 4; ++i) add_triangle(s, top, corners[i], corners[(i + 1) % 4]);
  add_parallelogram(s, corners[0], {2 * x, 0, 0}, {0, 0, 2 * z});
  return s;
}

Surface capsule(CounterRng& rng) {
  const double radius = between(rng, 0.35, 0.6);
  const double height = between(rng, 0.8, 1.4);
  Surface s;
  add_frustum(s, {0, -height / 2, 0}, radius, radius, height);
  add_ellipsoid(s, {0, -height / 2, 0}, {radius, radius, radius}, -1, 0);
  add_ellipsoid(s, {0, height / 2, 0}, {radius, radius, radius}, 0, 1);
  return s;
}

// A cylinder with a hole.
Surface tube(CounterRng& rng) {
  const double radius = between(rng, 0.5, 0.9);
  const double hole = radius * between(rng, 0.5, 0.85);
  const double height = between(rng, 0.8, 1.8);
  Surface s;
  for (const double r : {radius, hole}) add_frustum(s, {0, -height / 2, 0}, r, r, height);
  for (const double y : {-height / 2, height / 2}) add_ring(s, {0, y, 0}, hole, radius);
  return s;
}

// Stands on a triangle.
Surface prism(CounterRng& rng) {
  const double height = between(rng, 1, 2);
  const double depth = between(rng, 0.6, 1);
  const double width = between(rng, 0.6, 1);
  const double y = -height / 2;
  const Point3 corners[3] = {
      {-width, y, -depth / 2}, {width, y, -depth / 2}, {between(rng, -0.3, 0.3), y, depth}};
  Surface s;
  for (int i = 0; i < 3; ++i) {
    const Point3& a = corners[i];
    const Point3& b = corners[(i + 1) % 3];
    add_parallelogram(s, a, {b[0] - a[0], 0, b[2] - a[2]}, {0, height, 0});
  }
  const auto top = [&](Point3 corner) { return Point3{corner[0], height / 2, corner[2]}; };
  add_triangle(s, corners[0], corners[1], corners[2]);
  add_triangle(s, top(corners[0]), top(corners[1]), top(corners[2]));
  return s;
}

struct Solid {
  const char* name;
  Surface (*make)(CounterRng&);
};
constexpr Solid kSolids[] = {{"sphere", sphere},     {"ellipsoid", ellipsoid}, {"box", box},
                             {"cylinder", cylinder}, {"cone", cone},           {"torus", torus},
                             {"pyramid", pyramid},   {"capsule", capsule},     {"tube", tube},
                             {"prism", prism}};

}  // namespace

DatasetReader shapes_reader() {
  const auto describe = [](const PointOptions& options) {
    std::vector<std::string> names;
    for (const Solid& solid : kSolids) names.emplace_back(solid.name);
    return point_class_spec(options, std::move(names));
  };
  const auto make = [](std::int64_t kind, CounterRng& rng) { return kSolids[kind].make(rng); };
  return generated_reader(
      "shapes", describe, make, std::size(kSolids),
      {.least_noise = 0.01, .most_noise = 0.04, .most_hidden = 0.3, .outliers = 0.01});
}

}  // namespace tbn
