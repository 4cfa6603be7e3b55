// Objects of six categories, put together from solids, with labelled parts: a generated set for
// part segmentation.
#include <cmath>
#include <numbers>

#include "data/points/generated_clouds.h"
#include "data/points/point_augment.h"
#include "data/points/points.h"

namespace tbn {
namespace {

constexpr double kPi = std::numbers::pi;

double between(CounterRng& rng, double low, double high) {
  return low + (high - low) * uniform(rng);
}

// Labels below are counted within a category; make_object() adds the category's first.
void add_legs(Surface& s, double x, double z, double bottom, double height, double thick,
              std::int64_t label) {
  for (const double side : {-1.0, 1.0}) {
    for (const double end : {-1.0, 1.0}) {
      add_box(s, {side * x, bottom + height / 2, end * z}, {thick, height, thick}, label);
    }
  }
}

// A closed cylinder or cone.
void add_solid(Surface& s, Point3 base, double low, double high, double height,
               std::int64_t label) {
  add_frustum(s, base, low, high, height, label);
  add_ring(s, base, 0, low, label);
  if (high > 0) add_ring(s, {base[0], base[1] + height, base[2]}, 0, high, label);
}

Surface table(CounterRng& rng) {  // top, legs
  const double x = between(rng, 0.6, 1);
  const double z = between(rng, 0.4, 1);
  const double thick = between(rng, 0.05, 0.2);
  const double height = between(rng, 0.5, 1.1);
  Surface s;
  add_box(s, {0, height / 2, 0}, {2 * x, thick, 2 * z}, 0);
  if (rng.coin()) {
    add_legs(s, x * 0.85, z * 0.85, -height / 2, height, between(rng, 0.08, 0.2), 1);
  } else {
    const double foot = between(rng, 0.08, 0.2);
    add_solid(s, {0, -height / 2, 0}, foot * between(rng, 1, 3), foot, height, 1);
  }
  return s;
}

Surface chair(CounterRng& rng) {  // seat, back, legs, arms
  const double width = between(rng, 0.45, 0.7);
  const double thick = between(rng, 0.06, 0.18);
  const double legs = between(rng, 0.4, 0.8);
  const double back = between(rng, 0.5, 1);
  Surface s;
  add_box(s, {0, 0, 0}, {2 * width, thick, 2 * width}, 0);
  add_box(s, {0, back / 2, -width}, {2 * width, back, thick}, 1);
  add_legs(s, width * 0.85, width * 0.85, -legs, legs, between(rng, 0.07, 0.15), 2);
  if (rng.coin()) {
    const double height = between(rng, 0.2, 0.35);
    for (const double side : {-width, width}) {
      add_box(s, {side, height, 0}, {0.1, 0.08, 2 * width}, 3);
      add_box(s, {side, height / 2, width * 0.8}, {0.08, height, 0.08}, 3);
    }
  }
  return s;
}

Surface mug(CounterRng& rng) {  // body, handle
  const double radius = between(rng, 0.4, 0.7);
  const double height = between(rng, 0.8, 1.4);
  const double top = radius * between(rng, 0.9, 1.2);
  Surface s;
  add_frustum(s, {0, -height / 2, 0}, radius, top, height, 0);
  add_ring(s, {0, -height / 2, 0}, 0, radius, 0);
  const double handle = height * between(rng, 0.22, 0.36);
  const double thick = between(rng, 0.05, 0.1);
  add_torus(s, {(radius + top) / 2, 0, 0}, handle, thick, true, -kPi / 2, kPi / 2, 1);
  return s;
}

Surface lamp(CounterRng& rng) {  // foot, pole, shade
  const double height = between(rng, 0.9, 1.5);
  const double shade = between(rng, 0.35, 0.7);
  const double shade_height = between(rng, 0.3, 0.6);
  const double foot_height = between(rng, 0.06, 0.3);
  const double foot = between(rng, 0.3, 0.6);
  Surface s;
  add_solid(s, {0, -height / 2, 0}, foot, foot * between(rng, 0.5, 1), foot_height, 0);
  add_frustum(s, {0, -height / 2 + foot_height, 0}, 0.06, 0.06, height - foot_height, 1);
  add_frustum(s, {0, height / 2 - shade_height / 3, 0}, shade, shade * between(rng, 0.4, 1),
              shade_height, 2);
  return s;
}

Surface bottle(CounterRng& rng) {  // body, neck, cap
  const double radius = between(rng, 0.3, 0.5);
  const double body = between(rng, 0.8, 1.3);
  const double neck_radius = radius * between(rng, 0.3, 0.5);
  const double shoulder = between(rng, 0.1, 0.35);
  const double neck = between(rng, 0.15, 0.4);
  Surface s;
  add_solid(s, {0, -1, 0}, radius, radius, body, 0);
  add_frustum(s, {0, -1 + body, 0}, radius, neck_radius, shoulder, 1);
  add_frustum(s, {0, -1 + body + shoulder, 0}, neck_radius, neck_radius, neck, 1);
  add_solid(s, {0, -1 + body + shoulder + neck, 0}, neck_radius * 1.2, neck_radius * 1.2,
            between(rng, 0.1, 0.2), 2);
  return s;
}

Surface rocket(CounterRng& rng) {  // body, nose, fins
  const double radius = between(rng, 0.18, 0.35);
  const double body = between(rng, 0.9, 1.4);
  const double fin = between(rng, 0.25, 0.5);
  const double fin_height = between(rng, 0.3, 0.6);
  Surface s;
  add_frustum(s, {0, -0.9, 0}, radius, radius, body, 0);
  add_frustum(s, {0, -0.9 + body, 0}, radius, 0, between(rng, 0.3, 0.7), 1);
  const int fins = rng.coin() ? 3 : 4;
  for (int i = 0; i < fins; ++i) {
    const double angle = 2 * kPi * i / fins;
    const Point3 out = {std::cos(angle), 0, std::sin(angle)};
    add_triangle(s, {radius * out[0], -0.9, radius * out[2]},
                 {(radius + fin) * out[0], -0.9 - 0.3 * fin_height, (radius + fin) * out[2]},
                 {radius * out[0], -0.9 + fin_height, radius * out[2]}, 2);
  }
  return s;
}

struct Object {
  LabelRange labels;
  std::vector<std::string> parts;
  Surface (*make)(CounterRng&);
};

const std::vector<Object>& objects() {
  static const std::vector<Object> all = {
      {{"table", 0, 2}, {"table top", "table legs"}, table},
      {{"chair", 2, 4}, {"chair seat", "chair back", "chair legs", "chair arms"}, chair},
      {{"mug", 6, 2}, {"mug body", "mug handle"}, mug},
      {{"lamp", 8, 3}, {"lamp foot", "lamp pole", "lamp shade"}, lamp},
      {{"bottle", 11, 3}, {"bottle body", "bottle neck", "bottle cap"}, bottle},
      {{"rocket", 14, 3}, {"rocket body", "rocket nose", "rocket fins"}, rocket}};
  return all;
}

Surface make_object(std::int64_t kind, CounterRng& rng) {
  const Object& object = objects()[static_cast<std::size_t>(kind)];
  Surface surface = object.make(rng);
  for (Patch& patch : surface) patch.label += object.labels.first;
  return surface;
}

}  // namespace

DatasetReader shape_parts_reader() {
  const auto describe = [](const PointOptions& options) {
    std::vector<LabelRange> categories;
    std::vector<std::string> parts;
    for (const Object& object : objects()) {
      categories.push_back(object.labels);
      parts.insert(parts.end(), object.parts.begin(), object.parts.end());
    }
    SampleSpec spec = point_part_spec(options, std::move(categories));
    spec.class_names = std::move(parts);
    return spec;
  };
  return generated_reader("shape_parts", describe, make_object,
                          static_cast<std::int64_t>(objects().size()),
                          {.least_noise = 0.01, .most_noise = 0.04, .most_hidden = 0.3});
}

}  // namespace tbn
