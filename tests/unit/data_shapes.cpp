// The generated point sets: the surfaces against closed formulas, the sets for what they promise.
#include <cmath>
#include <map>
#include <numbers>
#include <thread>

#include "data/points/points.h"
#include "data/points/solids.h"
#include "support/catch.h"
#include "support/errors.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::test;

namespace {

constexpr double kPi = std::numbers::pi;

struct Sample {
  std::vector<float> values;
  std::vector<std::int64_t> labels;
  bool operator==(const Sample&) const = default;
};

Sample read_sample(const Dataset& set, std::int64_t index, const ReadContext& context = {}) {
  Sample out;
  out.values.resize(static_cast<std::size_t>(element_count(set.spec().input)), -99);
  out.labels.resize(static_cast<std::size_t>(set.spec().labels()), -99);
  REQUIRE(set.read(index, context, {.values = out.values.data(), .labels = out.labels.data()}));
  return out;
}

DataSplits open(const DatasetReader& reader, std::int64_t count = 256) {
  DataOptions options;
  options.points.count = count;
  return reader.open({}, options, {});
}

double area_of(const Surface& surface) {
  double area = 0;
  for (const Patch& patch : surface) area += patch.area;
  return area;
}

// Calls `check` with 500 points of the surface.
template <class F>
void for_points(const Surface& surface, F check) {
  CounterRng rng(1);
  for (int i = 0; i < 500; ++i) {
    std::int64_t label = 0;
    check(draw_point(surface, rng, label));
  }
}

}  // namespace

TEST_CASE("surfaces have the textbook's areas and their points lie on them") {
  Surface box;
  add_box(box, {1, 2, 3}, {2, 4, 6});
  CHECK(area_of(box) == Approx(2 * (2 * 4 + 4 * 6 + 6 * 2)));
  for_points(box, [](const Point3& p) {
    const double x = std::abs(p[0] - 1) / 1;
    const double y = std::abs(p[1] - 2) / 2;
    const double z = std::abs(p[2] - 3) / 3;
    CHECK(std::max({x, y, z}) == Approx(1));
  });
  Surface cone;
  add_frustum(cone, {0, 0, 0}, 3, 0, 4);
  CHECK(area_of(cone) == Approx(kPi * 3 * 5));
  for_points(cone, [](const Point3& p) {
    CHECK(std::hypot(p[0], p[2]) == Approx(3 * (1 - p[1] / 4)).margin(1e-9));
  });
  Surface sphere;
  add_ellipsoid(sphere, {0, 0, 0}, {2, 2, 2});
  CHECK(area_of(sphere) == Approx(4 * kPi * 4));
  for_points(sphere, [](const Point3& p) { CHECK(std::hypot(p[0], p[1], p[2]) == Approx(2)); });
  Surface ring;
  add_ring(ring, {0, 1, 0}, 1, 2);
  CHECK(area_of(ring) == Approx(3 * kPi));
  for_points(ring, [](const Point3& p) {
    const double radius = std::hypot(p[0], p[2]);
    CHECK((p[1] == 1 && radius >= 1 && radius <= 2));
  });
  Surface torus;
  add_torus(torus, {0, 0, 0}, 2, 0.5, true, 0, 2 * kPi);
  CHECK(area_of(torus) == Approx(4 * kPi * kPi * 2 * 0.5));
  for_points(torus, [](const Point3& p) {
    CHECK(std::hypot(std::hypot(p[0], p[1]) - 2, p[2]) == Approx(0.5));
  });
}

TEST_CASE("points are spread over a surface by area") {
  Surface surface;
  add_parallelogram(surface, {0, 0, 0}, {1, 0, 0}, {0, 3, 0}, 7);
  add_triangle(surface, {0, 0, 1}, {2, 0, 1}, {0, 1, 1}, 8);
  CounterRng rng(2);
  int first = 0;
  double height = 0;
  constexpr int kCount = 20000;
  for (int i = 0; i < kCount; ++i) {
    std::int64_t label = 0;
    const Point3 p = draw_point(surface, rng, label);
    first += label == 7;
    if (label == 8) height += p[1];
    CHECK(label == (p[2] == 0 ? 7 : 8));
  }
  CHECK(first / double{kCount} == Approx(0.75).margin(0.015));
  CHECK(height / (kCount - first) == Approx(1.0 / 3).margin(0.015));  // a triangle's centroid
}

TEST_CASE("shapes has ten classes, equally often, and no files") {
  const DatasetReader reader = shapes_reader();
  CHECK(reader.marker_files.empty());
  const DataSplits splits = open(reader);
  REQUIRE(splits.train->size() == 4000);
  REQUIRE(splits.test->size() == 1000);
  CHECK(splits.validation == nullptr);
  CHECK(splits.train->spec().classes() == 10);
  CHECK(splits.train->spec().task.output == Shape({10}));
  std::map<std::int64_t, int> seen;
  for (std::int64_t i = 0; i < 100; ++i) {
    const Sample sample = read_sample(*splits.test, i);
    ++seen[sample.labels.front()];
    double farthest = 0;
    for (std::size_t p = 0; p < sample.values.size(); p += 3) {
      const float* v = &sample.values[p];
      farthest = std::max(farthest, double{std::hypot(v[0], v[1], v[2])});
    }
    CHECK(farthest > 0.4);
    CHECK(farthest < 1.00001);
  }
  REQUIRE(seen.size() == 10);
  for (const auto& [label, times] : seen) CHECK(times == 10);
}

TEST_CASE("generated clouds differ from each other and between training and test") {
  const DataSplits splits = open(shapes_reader());
  CHECK_FALSE(read_sample(*splits.train, 0) == read_sample(*splits.train, 10));
  CHECK_FALSE(read_sample(*splits.train, 0) == read_sample(*splits.test, 0));
}

TEST_CASE("shape_parts labels every point with a part of its category") {
  const DataSplits splits = open(shape_parts_reader(), 1024);
  const SampleSpec& spec = splits.train->spec();
  REQUIRE(spec.categories.size() == 6);
  CHECK(spec.input == Shape({1024, 3 + 6}));
  CHECK(spec.classes() == 17);
  CHECK(spec.class_names[9] == "lamp pole");
  std::map<std::int64_t, int> points;
  for (std::int64_t i = 0; i < 72; ++i) {
    const Sample sample = read_sample(*splits.train, i);
    const LabelRange& range = spec.categories[static_cast<std::size_t>(i % 6)];
    for (std::size_t p = 0; p < 1024; ++p) {
      REQUIRE(sample.labels[p] >= range.first);
      REQUIRE(sample.labels[p] < range.first + range.count);
      REQUIRE(sample.values[9 * p + 3 + static_cast<std::size_t>(i % 6)] == 1);
      ++points[sample.labels[p]];
    }
  }
  CHECK(points.size() == 17);  // every part is there
}

TEST_CASE("the top of a generated table lies above its legs") {
  const auto train = open(shape_parts_reader(), 1024).train;
  for (std::int64_t i = 0; i < 60; i += 6) {
    const Sample sample = read_sample(*train, i);
    double height[2] = {};
    double count[2] = {};
    for (std::size_t p = 0; p < 1024; ++p) {
      const auto label = static_cast<std::size_t>(sample.labels[p]);
      height[label] += sample.values[9 * p + 1];
      count[label] += 1;
    }
    CHECK(height[0] / count[0] > height[1] / count[1]);
  }
}

TEST_CASE("a sample is the same from any thread and of any order, and views differ by epoch") {
  for (const DatasetReader& reader : {shapes_reader(), shape_parts_reader()}) {
    const auto train = open(reader).train;
    const ReadContext context{.augment = true, .seed = 3, .epoch = 2};
    std::vector<Sample> alone;
    for (std::int64_t i = 0; i < 32; ++i) alone.push_back(read_sample(*train, i, context));
    std::vector<Sample> together(32);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t i = 32; i-- > 0;) {
          if (i % 4 != t) continue;
          Sample& out = together[i];
          out.values.resize(alone[i].values.size());
          out.labels.resize(alone[i].labels.size());
          train->read(static_cast<std::int64_t>(i), context,
                      {.values = out.values.data(), .labels = out.labels.data()});
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(together == alone);
    const ReadContext later{.augment = true, .seed = 3, .epoch = 3};
    CHECK_FALSE(read_sample(*train, 0, later) == alone[0]);
    const ReadContext other{.augment = true, .seed = 4, .epoch = 2};
    CHECK_FALSE(read_sample(*train, 0, other) == alone[0]);
  }
}

TEST_CASE("generated clouds have no normals to ask for") {
  DataOptions options;
  options.points.normals = true;
  CHECK(message_of<ConfigError>([&] { shapes_reader().describe(options); }) ==
        "data.points.normals: the clouds of shapes have none; set it to false");
}

TEST_CASE("what a point set describes is what it opens") {
  for (const DatasetReader& reader : {shapes_reader(), shape_parts_reader()}) {
    DataOptions options;
    const SampleSpec told = reader.describe(options);
    const auto train = reader.open({}, options, {}).train;
    CHECK(told.input == train->spec().input);
    CHECK(told.task.output == train->spec().task.output);
    CHECK(told.class_names == train->spec().class_names);
  }
}
