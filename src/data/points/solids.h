// Surfaces of simple solids, to draw points on: what the generated data sets are made of. The
// vertical axis is y.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/counter_rng.h"

namespace tbn {

using Point3 = std::array<double, 3>;

// A piece of a surface.
struct Patch {
  double area = 0;
  std::int64_t label = 0;                   // of the part that it belongs to
  std::function<Point3(CounterRng&)> draw;  // a point on it
};
using Surface = std::vector<Patch>;

void add_parallelogram(Surface& to, Point3 corner, Point3 a, Point3 b, std::int64_t label = 0);
void add_triangle(Surface& to, Point3 a, Point3 b, Point3 c, std::int64_t label = 0);
// All six sides; `size` along each axis.
void add_box(Surface& to, Point3 middle, Point3 size, std::int64_t label = 0);
// The side of a cylinder or cone that stands on `base`, and a flat ring (or disc: inner 0).
void add_frustum(Surface& to, Point3 base, double low_radius, double high_radius, double height,
                 std::int64_t label = 0);
void add_ring(Surface& to, Point3 middle, double inner, double outer, std::int64_t label = 0);
// Half axes; the part with y / half axis in [low, high]. A little denser at its flat ends.
void add_ellipsoid(Surface& to, Point3 middle, Point3 half, double low = -1, double high = 1,
                   std::int64_t label = 0);
// Lies flat, or stands in the x-y plane; the arc from `from` to `end` radians of the large circle.
void add_torus(Surface& to, Point3 middle, double large, double small, bool stands, double from,
               double end, std::int64_t label = 0);

// A point on the surface, equally likely everywhere, and its label.
Point3 draw_point(const Surface& surface, CounterRng& rng, std::int64_t& label);

}  // namespace tbn
