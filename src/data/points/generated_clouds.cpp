// Draws clouds on surfaces, then turns, hides and disturbs their points.
#include "data/points/generated_clouds.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "tbn/error.h"

namespace tbn {
namespace {

// Part of what the data sets are: never change them.
constexpr std::uint64_t kTrainSeed = 0x7462'6e01;
constexpr std::uint64_t kTestSeed = 0x7462'6e02;

struct Drawn {
  std::vector<Point3> points;
  std::vector<std::int64_t> labels;
};

// Draws more points than are wanted and leaves out those farthest along a random direction.
Drawn draw_visible(const Surface& surface, double hidden, CounterRng& rng) {
  constexpr auto kWanted = static_cast<std::size_t>(kGeneratedPoints);
  const auto count =
      static_cast<std::size_t>(std::ceil(static_cast<double>(kWanted) / (1 - hidden)));
  Drawn all;
  for (std::size_t i = 0; i < count; ++i) {
    std::int64_t label = 0;
    all.points.push_back(draw_point(surface, rng, label));
    all.labels.push_back(label);
  }
  const Point3 direction = {gaussian(rng), gaussian(rng), gaussian(rng)};
  std::vector<double> depth;
  depth.reserve(all.points.size());
  for (const Point3& p : all.points) {
    depth.push_back(direction[0] * p[0] + direction[1] * p[1] + direction[2] * p[2]);
  }
  std::vector<double> sorted = depth;
  std::sort(sorted.begin(), sorted.end());
  const double limit = sorted[kWanted - 1];
  Drawn visible;
  for (std::size_t i = 0; i < count && visible.points.size() < kWanted; ++i) {
    if (depth[i] > limit) continue;
    visible.points.push_back(all.points[i]);
    visible.labels.push_back(all.labels[i]);
  }
  return visible;
}

}  // namespace

GeneratedClouds::GeneratedClouds(Make make, std::int64_t kinds, const Disturbance& disturbance,
                                 bool parts, bool test)
    : make_(std::move(make)),
      kinds_(kinds),
      disturbance_(disturbance),
      parts_(parts),
      test_(test) {}

void GeneratedClouds::read(std::int64_t index, PointCloud& out) const {
  TBN_CHECK(index >= 0 && index < size(), "GeneratedClouds: index outside the set");
  CounterRng rng(test_ ? kTestSeed : kTrainSeed, RngUse::kSample, 0,
                 static_cast<std::uint64_t>(index));
  const std::int64_t kind = index % kinds_;
  const Surface surface = make_(kind, rng);
  const double noise = disturbance_.least_noise +
                       (disturbance_.most_noise - disturbance_.least_noise) * uniform(rng);
  const double hidden = disturbance_.most_hidden * uniform(rng);
  Drawn drawn = draw_visible(surface, hidden, rng);
  const Rotation turn = rotation_about(1, 2 * std::numbers::pi * uniform(rng));
  out.points.clear();
  for (Point3& point : drawn.points) {
    const bool outlier = uniform(rng) < disturbance_.outliers;
    for (double& along : point) {
      along = outlier ? 2.4 * uniform(rng) - 1.2 : along + noise * gaussian(rng);
    }
    float values[3] = {static_cast<float>(point[0]), static_cast<float>(point[1]),
                       static_cast<float>(point[2])};
    rotate(turn, values);
    out.points.insert(out.points.end(), values, values + 3);
  }
  out.category = parts_ ? kind : 0;
  out.labels = parts_ ? std::move(drawn.labels) : std::vector<std::int64_t>{kind};
}

DatasetReader generated_reader(const std::string& name,
                               std::function<SampleSpec(const PointOptions&)> describe,
                               GeneratedClouds::Make make, std::int64_t kinds,
                               const Disturbance& disturbance) {
  DatasetReader reader;
  reader.name = name;
  reader.describe = [name, describe = std::move(describe)](const DataOptions& options) {
    if (options.points.normals) {
      throw ConfigError("data.points.normals: the clouds of " + name +
                        " have none; set it to false");
    }
    return describe(options.points);
  };
  reader.open = [describe = reader.describe, make = std::move(make), kinds, disturbance](
                    const std::filesystem::path&, const DataOptions& options,
                    const SplitRequest& request) {
    const SampleSpec spec = describe(options);
    const auto set = [&](bool test) {
      const bool parts = spec.task.task == Task::kSegmentation;
      return std::make_shared<PointSet>(
          spec, PointRules{}, options,
          std::make_shared<GeneratedClouds>(make, kinds, disturbance, parts, test));
    };
    DataSplits splits;
    if (request.train) splits.train = set(false);
    if (request.test) splits.test = set(true);
    return splits;
  };
  return reader;
}

}  // namespace tbn
