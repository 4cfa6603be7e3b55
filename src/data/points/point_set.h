// Point clouds as a Dataset, wherever they come from: centred and scaled into the unit sphere, as
// many points as the network sees, random views for training.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/points/point_augment.h"
#include "data/source/dataset.h"
#include "data/source/options.h"
#include "data/source/skip_log.h"

namespace tbn {

// A cloud with fewer points than this says nothing of its object.
constexpr std::int64_t kFewestCloudPoints = 16;

struct PointCloud {
  std::vector<float> points;         // [n, columns of the layout]
  std::vector<std::int64_t> labels;  // [n] for segmentation, else [1]
  std::int64_t category = 0;         // of a segmented object, else 0
};

// Where clouds come from. Several threads read at once.
class CloudSource {
 public:
  virtual ~CloudSource() = default;
  virtual std::int64_t size() const = 0;
  // Throws DataError that names the file and the place in it.
  virtual void read(std::int64_t index, PointCloud& out) const = 0;
  // As Dataset's, without reading a cloud.
  virtual std::string identity(std::int64_t index) const { return std::to_string(stratum(index)); }
  virtual std::int64_t stratum(std::int64_t) const { return 0; }
};

// How the clouds of a set become samples.
struct PointRules {
  PointLayout layout;
  // Blocks of a scene keep their coordinates, metres from the block's middle, and of the random
  // views only rotation about the vertical axis and jitter make sense for them.
  bool scene = false;
  std::int64_t most_points = 0;  // read of a file at most; 0: all
};

// A sample is [N, columns + condition]; the condition is the category, one-hot.
//
// Which points: of a larger cloud the first N, or for segmentation a fixed choice, since files may
// list a cloud part by part; in training a random choice. A smaller cloud is taken whole, and some
// of its points again.
class PointSet final : public Dataset {
 public:
  PointSet(SampleSpec spec, const PointRules& rules, const DataOptions& options,
           std::shared_ptr<const CloudSource> clouds);
  const SampleSpec& spec() const override { return spec_; }
  std::int64_t size() const override { return clouds_->size(); }
  bool read(std::int64_t index, const ReadContext& context, SampleOut out) const override;
  InputRule input_rule() const override;
  std::string identity(std::int64_t index) const override { return clouds_->identity(index); }
  std::int64_t stratum(std::int64_t index) const override { return clouds_->stratum(index); }
  SkipReport skips() const override { return skips_.report(); }

 private:
  std::vector<std::int64_t> choose(std::int64_t count, std::int64_t index,
                                   const ReadContext& context) const;

  SampleSpec spec_;
  PointRules rules_;
  PointOptions options_;
  std::shared_ptr<const CloudSource> clouds_;
  SkipLog skips_;
};

// Spec of clouds with one class each.
SampleSpec point_class_spec(const PointOptions& options, std::vector<std::string> class_names);

// Spec of objects with one label per point; each category has its own labels, and is told to the
// network.
SampleSpec point_part_spec(const PointOptions& options, std::vector<LabelRange> categories);

}  // namespace tbn
