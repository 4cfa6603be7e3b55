// Draws points on surfaces, uniformly by area.
#include "data/points/solids.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "data/points/point_augment.h"
#include "tbn/error.h"

namespace tbn {
namespace {

constexpr double kPi = std::numbers::pi;

Point3 plus(const Point3& a, const Point3& b, double factor = 1) {
  return {a[0] + factor * b[0], a[1] + factor * b[1], a[2] + factor * b[2]};
}

double cross_length(const Point3& a, const Point3& b) {
  const double x = a[1] * b[2] - a[2] * b[1];
  const double y = a[2] * b[0] - a[0] * b[2];
  const double z = a[0] * b[1] - a[1] * b[0];
  return std::sqrt(x * x + y * y + z * z);
}

Point3 on_circle(const Point3& middle, double radius, double height, CounterRng& rng) {
  const double angle = 2 * kPi * uniform(rng);
  return {middle[0] + radius * std::cos(angle), middle[1] + height,
          middle[2] + radius * std::sin(angle)};
}

// Density proportional to the radius between the two.
double radius_between(double inner, double outer, CounterRng& rng) {
  const double u = uniform(rng);
  return std::sqrt(inner * inner + u * (outer * outer - inner * inner));
}

}  // namespace

void add_parallelogram(Surface& to, Point3 corner, Point3 a, Point3 b, std::int64_t label) {
  to.push_back({cross_length(a, b), label, [=](CounterRng& rng) {
                  const double u = uniform(rng);
                  return plus(plus(corner, a, u), b, uniform(rng));
                }});
}

void add_triangle(Surface& to, Point3 a, Point3 b, Point3 c, std::int64_t label) {
  const Point3 ab = plus(b, a, -1);
  const Point3 ac = plus(c, a, -1);
  to.push_back({cross_length(ab, ac) / 2, label, [=](CounterRng& rng) {
                  double u = uniform(rng);
                  double v = uniform(rng);
                  if (u + v > 1) {  // the other half of the parallelogram, turned around
                    u = 1 - u;
                    v = 1 - v;
                  }
                  return plus(plus(a, ab, u), ac, v);
                }});
}

void add_box(Surface& to, Point3 middle, Point3 size, std::int64_t label) {
  const Point3 low = plus(middle, size, -0.5);
  const Point3 x = {size[0], 0, 0};
  const Point3 y = {0, size[1], 0};
  const Point3 z = {0, 0, size[2]};
  add_parallelogram(to, low, x, y, label);
  add_parallelogram(to, low, y, z, label);
  add_parallelogram(to, low, z, x, label);
  add_parallelogram(to, plus(low, z), x, y, label);
  add_parallelogram(to, plus(low, x), y, z, label);
  add_parallelogram(to, plus(low, y), z, x, label);
}

void add_frustum(Surface& to, Point3 base, double low_radius, double high_radius, double height,
                 std::int64_t label) {
  const double widening = high_radius - low_radius;
  const double slant = std::sqrt(height * height + widening * widening);
  to.push_back({kPi * (low_radius + high_radius) * slant, label, [=](CounterRng& rng) {
                  if (widening == 0) {
                    const double up = height * uniform(rng);
                    return on_circle(base, low_radius, up, rng);
                  }
                  const double radius = radius_between(low_radius, high_radius, rng);
                  return on_circle(base, radius, height * (radius - low_radius) / widening, rng);
                }});
}

void add_ring(Surface& to, Point3 middle, double inner, double outer, std::int64_t label) {
  to.push_back({kPi * (outer * outer - inner * inner), label, [=](CounterRng& rng) {
                  const double radius = radius_between(inner, outer, rng);
                  return on_circle(middle, radius, 0, rng);
                }});
}

void add_ellipsoid(Surface& to, Point3 middle, Point3 half, double low, double high,
                   std::int64_t label) {
  // Thomsen's formula; a zone of a sphere has area in proportion to its height.
  constexpr double kPower = 1.6075;
  const auto power = [](double x, double y) { return std::pow(x * y, kPower); };
  const double mean =
      (power(half[0], half[1]) + power(half[1], half[2]) + power(half[2], half[0])) / 3;
  const double area = 4 * kPi * std::pow(mean, 1 / kPower) * (high - low) / 2;
  to.push_back({area, label, [=](CounterRng& rng) {
                  const double y = low + (high - low) * uniform(rng);
                  const Point3 unit = on_circle({0, 0, 0}, std::sqrt(1 - y * y), y, rng);
                  return Point3{middle[0] + half[0] * unit[0], middle[1] + half[1] * unit[1],
                                middle[2] + half[2] * unit[2]};
                }});
}

void add_torus(Surface& to, Point3 middle, double large, double small, bool stands, double from,
               double end, std::int64_t label) {
  to.push_back({(end - from) * large * 2 * kPi * small, label, [=](CounterRng& rng) {
                  const double along = from + (end - from) * uniform(rng);
                  double around = 0;
                  do {  // the outside has more area than the inside
                    around = 2 * kPi * uniform(rng);
                  } while (uniform(rng) * (large + small) > large + small * std::cos(around));
                  const double radius = large + small * std::cos(around);
                  const double u = radius * std::cos(along);
                  const double v = radius * std::sin(along);
                  const double w = small * std::sin(around);
                  return stands ? plus(middle, {u, v, w}) : plus(middle, {u, w, v});
                }});
}

Point3 draw_point(const Surface& surface, CounterRng& rng, std::int64_t& label) {
  TBN_CHECK(!surface.empty(), "draw_point: a surface has a patch at least");
  double total = 0;
  for (const Patch& patch : surface) total += patch.area;
  double left = uniform(rng) * total;
  const auto chosen = std::find_if(surface.begin(), surface.end() - 1, [&](const Patch& patch) {
    left -= patch.area;
    return left < 0;
  });
  label = chosen->label;
  return chosen->draw(rng);
}

}  // namespace tbn
