// Keeps clouds file by file and checks what is in them.
#include "data/points/memory_clouds.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "tbn/error.h"

namespace tbn {

MemoryClouds::MemoryClouds(std::int64_t columns, std::int64_t points, bool segmentation,
                           std::int64_t classes, std::vector<LabelRange> categories)
    : columns_(columns),
      points_(points),
      segmentation_(segmentation),
      classes_(classes),
      categories_(std::move(categories)) {}

void MemoryClouds::append(const std::filesystem::path& file, std::vector<float> values,
                          std::vector<std::uint8_t> labels, std::vector<std::uint8_t> categories) {
  const auto per_cloud = static_cast<std::size_t>(columns_ * points_);
  const std::size_t clouds = values.size() / per_cloud;
  const std::size_t per_label = segmentation_ ? static_cast<std::size_t>(points_) : 1;
  TBN_CHECK(values.size() == clouds * per_cloud && labels.size() == clouds * per_label &&
                (categories_.empty() || categories.size() == clouds),
            "MemoryClouds: values and labels do not match");
  if (clouds == 0) return;
  parts_.push_back({file, size_, std::move(values), std::move(labels), std::move(categories)});
  size_ += static_cast<std::int64_t>(clouds);
}

void MemoryClouds::check_all() const {
  PointCloud cloud;
  for (std::int64_t i = 0; i < size_; ++i) read(i, cloud);
}

const MemoryClouds::Part& MemoryClouds::part_of(std::int64_t index) const {
  TBN_CHECK(index >= 0 && index < size_, "MemoryClouds: index outside the set");
  const auto after =
      std::upper_bound(parts_.begin(), parts_.end(), index,
                       [](std::int64_t i, const Part& part) { return i < part.first; });
  return *(after - 1);
}

void MemoryClouds::fail(const Part& part, std::int64_t row, const std::string& what) const {
  throw DataError(fmt::format("'{}': cloud {}: {}", part.file.string(), row, what));
}

void MemoryClouds::check_labels(const Part& part, std::int64_t row, const PointCloud& cloud) const {
  std::int64_t first = 0;
  std::int64_t count = classes_;
  std::string whose = fmt::format("there are {} classes", classes_);
  if (!categories_.empty()) {
    const auto categories = static_cast<std::int64_t>(categories_.size());
    if (cloud.category >= categories) {
      fail(part, row,
           fmt::format("category {} is out of range; there are {} categories", cloud.category,
                       categories));
    }
    const LabelRange& range = categories_[static_cast<std::size_t>(cloud.category)];
    first = range.first;
    count = range.count;
    whose = fmt::format("a {} has the labels {} to {}", range.name, first, first + count - 1);
  }
  for (std::size_t i = 0; i < cloud.labels.size(); ++i) {
    const std::int64_t label = cloud.labels[i];
    if (label >= first && label < first + count) continue;
    const std::string of = segmentation_ ? fmt::format(" of point {}", i) : "";
    fail(part, row, fmt::format("label {}{} is out of range; {}", label, of, whose));
  }
}

std::int64_t MemoryClouds::stratum(std::int64_t index) const {
  const Part& part = part_of(index);
  const auto row = static_cast<std::size_t>(index - part.first);
  if (!categories_.empty()) return part.categories[row];
  return segmentation_ ? 0 : part.labels[row];
}

void MemoryClouds::read(std::int64_t index, PointCloud& out) const {
  const Part& part = part_of(index);
  const std::int64_t row = index - part.first;
  const std::int64_t values = columns_ * points_;
  const auto begin = part.values.begin() + row * values;
  out.points.assign(begin, begin + values);
  const auto wrong = std::find_if_not(out.points.begin(), out.points.end(),
                                      [](float value) { return std::isfinite(value); });
  if (wrong != out.points.end()) {
    const auto at = wrong - out.points.begin();
    fail(part, row,
         fmt::format("value {} of point {} is {}; all must be finite", at % columns_, at / columns_,
                     *wrong));
  }
  const std::int64_t labels = segmentation_ ? points_ : 1;
  const auto label = part.labels.begin() + row * labels;
  out.labels.assign(label, label + labels);
  out.category = categories_.empty() ? 0 : part.categories[static_cast<std::size_t>(row)];
  check_labels(part, row, out);
}

}  // namespace tbn
