// Clouds that are computed instead of read: a cloud is a function of the set and its index.
#pragma once

#include <cstdint>
#include <functional>

#include "data/points/point_set.h"
#include "data/points/solids.h"
#include "data/source/options.h"
#include "data/source/reader.h"

namespace tbn {

constexpr std::int64_t kGeneratedTrain = 4000;
constexpr std::int64_t kGeneratedTest = 1000;
constexpr std::int64_t kGeneratedPoints = 1024;  // a cloud

// How a cloud differs from the surface it was drawn on. Lengths in units of the solids, which are
// about 2 across.
struct Disturbance {
  double least_noise = 0;  // deviation of each coordinate, drawn between the two for each cloud
  double most_noise = 0;
  double most_hidden = 0;  // share of the points that lie farthest along one direction, left out
  double outliers = 0;     // share of points that are anywhere
};

class GeneratedClouds final : public CloudSource {
 public:
  // `make` builds the surface of a kind; a cloud's kind is its index modulo `kinds`. The training
  // and the test clouds have nothing in common.
  using Make = std::function<Surface(std::int64_t kind, CounterRng& rng)>;
  GeneratedClouds(Make make, std::int64_t kinds, const Disturbance& disturbance, bool parts,
                  bool test);

  std::int64_t size() const override { return test_ ? kGeneratedTest : kGeneratedTrain; }
  std::int64_t stratum(std::int64_t index) const override { return index % kinds_; }
  // Labels: the kind, or the patches' labels with the kind as category.
  void read(std::int64_t index, PointCloud& out) const override;

 private:
  Make make_;
  std::int64_t kinds_;
  Disturbance disturbance_;
  bool parts_;
  bool test_;
};

// A reader without files over generated clouds of three columns.
DatasetReader generated_reader(const std::string& name,
                               std::function<SampleSpec(const PointOptions&)> describe,
                               GeneratedClouds::Make make, std::int64_t kinds,
                               const Disturbance& disturbance);

}  // namespace tbn
