// Random views of point clouds: geometry against closed formulas, and what each option may change.
#include "data/points/point_augment.h"
#include "prepare/points.h"

#include <cmath>
#include <numbers>
#include <set>

#include "data/points/point_set.h"
#include "support/catch.h"
#include "support/errors.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::test;

namespace {

PointOptions nothing() {
  PointOptions options;
  options.dropout = 0;
  options.scale = 1;
  options.shift = 0;
  return options;
}

// 64 points with unit normals.
std::vector<float> cloud() {
  std::vector<float> points;
  for (int i = 0; i < 64; ++i) {
    const double a = 0.37 * i;
    for (const double value :
         {std::cos(a), 0.01 * i, std::sin(2 * a), 0.6, std::sin(a) * 0.8, std::cos(a) * 0.8}) {
      points.push_back(static_cast<float>(value));
    }
  }
  return points;
}

constexpr PointLayout kWithNormals{.columns = 6, .normals = true, .up_axis = 1};

double length(const float* p) {
  return std::sqrt(double{p[0]} * p[0] + double{p[1]} * p[1] + double{p[2]} * p[2]);
}

double distance(const float* a, const float* b) {
  const float d[3] = {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
  return length(d);
}

std::vector<float> augmented(const PointOptions& options, std::uint64_t seed) {
  auto points = cloud();
  augment_points(options, kWithNormals, CounterRng(seed), points, {});
  return points;
}

}  // namespace

TEST_CASE("a rotation about an axis is the textbook's") {
  float x[3] = {1, 0, 0};
  rotate(rotation_about(2, std::numbers::pi / 2), x);
  CHECK(distance(x, std::vector<float>{0, 1, 0}.data()) < 1e-6);
  float z[3] = {0, 5, 1};
  rotate(rotation_about(1, std::numbers::pi / 2), z);
  CHECK(distance(z, std::vector<float>{1, 5, 0}.data()) < 1e-6);
}

TEST_CASE("every rotation is orthogonal with determinant one") {
  CounterRng rng(1);
  for (int n = 0; n < 50; ++n) {
    const double a = uniform(rng);
    const double b = uniform(rng);
    const Rotation r = rotation_of(a, b, uniform(rng));
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t j = 0; j < 3; ++j) {
        double dot = 0;
        for (std::size_t k = 0; k < 3; ++k) dot += r[3 * i + k] * r[3 * j + k];
        CHECK(dot == Approx(i == j ? 1 : 0).margin(1e-12));
      }
    }
    const double determinant = r[0] * (r[4] * r[8] - r[5] * r[7]) -
                               r[1] * (r[3] * r[8] - r[5] * r[6]) +
                               r[2] * (r[3] * r[7] - r[4] * r[6]);
    CHECK(determinant == Approx(1).margin(1e-12));
  }
}

TEST_CASE("random rotations leave no direction out") {
  CounterRng rng(2);
  double mean[3] = {};
  double squares[3] = {};
  constexpr int kCount = 20000;
  for (int n = 0; n < kCount; ++n) {
    float p[3] = {1, 0, 0};
    const double a = uniform(rng);
    const double b = uniform(rng);
    rotate(rotation_of(a, b, uniform(rng)), p);
    for (int axis = 0; axis < 3; ++axis) {
      mean[axis] += p[axis] / kCount;
      squares[axis] += double{p[axis]} * p[axis] / kCount;
    }
  }
  for (int axis = 0; axis < 3; ++axis) {
    CHECK(std::abs(mean[axis]) < 0.02);  // 0, deviation 0.004
    CHECK(std::abs(squares[axis] - 1.0 / 3) < 0.01);
  }
}

TEST_CASE("uniform and gaussian numbers have the moments that they should") {
  CounterRng rng(3);
  double mean = 0;
  double square = 0;
  double normal = 0;
  double normal_square = 0;
  constexpr int kCount = 40000;
  for (int i = 0; i < kCount; ++i) {
    const double u = uniform(rng);
    REQUIRE((u >= 0 && u < 1));
    mean += u / kCount;
    square += u * u / kCount;
    const double g = gaussian(rng);
    normal += g / kCount;
    normal_square += g * g / kCount;
  }
  CHECK(mean == Approx(0.5).margin(0.01));
  CHECK(square == Approx(1.0 / 3).margin(0.01));
  CHECK(normal == Approx(0).margin(0.03));
  CHECK(normal_square == Approx(1).margin(0.04));
}

TEST_CASE("with everything off a view is the cloud itself") {
  CHECK(augmented(nothing(), 4) == cloud());
}

TEST_CASE("rotation turns points and normals alike and keeps all distances") {
  const auto before = cloud();
  for (const RotationAxes which : {RotationAxes::kUp, RotationAxes::kAll}) {
    PointOptions options = nothing();
    options.rotate = which;
    const auto after = augmented(options, 5);
    CHECK(distance(&after[0], &before[0]) > 1e-3);
    for (std::size_t i = 6; i < before.size(); i += 6) {
      CHECK(distance(&after[i], &after[0]) ==
            Approx(distance(&before[i], &before[0])).margin(1e-5));
      CHECK(length(&after[i + 3]) == Approx(1).margin(1e-5));
      const auto dot = [i](const std::vector<float>& p) {
        return double{p[i]} * p[i + 3] + double{p[i + 1]} * p[i + 4] + double{p[i + 2]} * p[i + 5];
      };
      CHECK(dot(after) == Approx(dot(before)).margin(1e-5));
      if (which == RotationAxes::kUp) CHECK(after[i + 1] == Approx(before[i + 1]).margin(1e-6));
    }
  }
}

TEST_CASE("scale and shift are one factor and one step per cloud, and leave normals alone") {
  PointOptions options = nothing();
  options.scale = 1.25;
  options.shift = 0.1;
  const auto before = cloud();
  std::set<float> factors;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const auto after = augmented(options, seed);
    const double factor = distance(&after[60], &after[0]) / distance(&before[60], &before[0]);
    CHECK(factor > 0.7999);
    CHECK(factor < 1.2501);
    factors.insert(static_cast<float>(factor));
    for (std::size_t i = 0; i < before.size(); i += 6) {
      for (std::size_t axis = 0; axis < 3; ++axis) {
        const double step = after[i + axis] - factor * before[i + axis];
        CHECK(std::abs(step) < 0.1001);
        CHECK(step == Approx(after[axis] - factor * before[axis]).margin(1e-5));
        CHECK(after[i + 3 + axis] == before[i + 3 + axis]);
      }
    }
  }
  CHECK(factors.size() == 40);
}

TEST_CASE("jitter moves each coordinate a little and never more than five deviations") {
  PointOptions options = nothing();
  options.jitter = 0.01;
  const auto before = cloud();
  double squares = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto after = augmented(options, seed);
    for (std::size_t i = 0; i < before.size(); ++i) {
      const double moved = double{after[i]} - before[i];
      if (i % 6 < 3) squares += moved * moved / (50 * 192);
      CHECK(std::abs(moved) <= (i % 6 < 3 ? 0.050001 : 0));
    }
  }
  CHECK(std::sqrt(squares) == Approx(0.01).epsilon(0.05));
}

TEST_CASE("dropped points become the first point and take its label") {
  PointOptions options = nothing();
  options.dropout = 0.875;
  const auto before = cloud();
  double dropped = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    auto points = before;
    std::vector<std::int64_t> labels(64);
    for (std::size_t i = 0; i < 64; ++i) labels[i] = static_cast<std::int64_t>(100 + i);
    augment_points(options, kWithNormals, CounterRng(seed), points, labels);
    for (std::size_t i = 0; i < 64; ++i) {
      const std::size_t from = labels[i] == 100 ? 0 : i;
      CHECK(labels[i] == static_cast<std::int64_t>(100 + from));
      CHECK(std::equal(&points[6 * i], &points[6 * i] + 6, &before[6 * from]));
      if (i > 0) dropped += labels[i] == 100;
    }
  }
  // The share is uniform up to 0.875: half of that on average, its mean's deviation 0.018.
  CHECK(dropped / (200 * 63) == Approx(0.4375).margin(0.08));
}

TEST_CASE("a view depends on its generator alone") {
  PointOptions options;
  options.rotate = RotationAxes::kAll;
  options.jitter = 0.02;
  CHECK(augmented(options, 11) == augmented(options, 11));
  CHECK(augmented(options, 11) != augmented(options, 12));
}

TEST_CASE("options of points out of range are named") {
  const auto error = [](auto change) {
    PointOptions options;
    change(options);
    return message_of<ConfigError>([&] { check_point_options(options); });
  };
  CHECK(error([](PointOptions& o) { o.count = 15; }) ==
        "data.points.count: 15 is out of range; it must be 16 to 65536");
  CHECK(error([](PointOptions& o) { o.dropout = 1.5; }) ==
        "data.points.dropout: 1.5 is out of range; it must be 0 to 1");
  CHECK(error([](PointOptions& o) { o.scale = 0.5; }) ==
        "data.points.scale: 0.5 is out of range; it must be 1 to 10");
  CHECK(error([](PointOptions& o) { o.shift = std::nan(""); }) ==
        "data.points.shift: nan is out of range; it must be 0 to 10");
  CHECK(error([](PointOptions& o) { o.jitter = -1; }) ==
        "data.points.jitter: -1 is out of range; it must be 0 to 1");
}

TEST_CASE("a cloud is moved to the origin and scaled to length one, and one point only moved") {
  std::vector<float> points = {1, 1, 1, 9, 3, 1, 1, 9};  // (1, 1, 1) and (3, 1, 1)
  fit_unit_sphere(points, 4);
  CHECK(points == std::vector<float>{-1, 0, 0, 9, 1, 0, 0, 9});
  std::vector<float> same = {2, 3, 4, 2, 3, 4};
  fit_unit_sphere(same, 3);
  CHECK(same == std::vector<float>(6, 0));
}
