// Point clouds of equal size in memory, as the HDF5 sets have them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/points/point_set.h"

namespace tbn {

// Clouds of equal size in memory. Labels are bytes: no set here has more than 50.
class MemoryClouds final : public CloudSource {
 public:
  // `columns` floats per point, `points` points per cloud; labels per cloud: 1, or one per point.
  // Labels below `classes`, or those of the cloud's category.
  MemoryClouds(std::int64_t columns, std::int64_t points, bool segmentation, std::int64_t classes,
               std::vector<LabelRange> categories);

  // Appends n clouds of `file`: values [n, points, columns], labels [n] or [n, points], categories
  // [n] or empty.
  void append(const std::filesystem::path& file, std::vector<float> values,
              std::vector<std::uint8_t> labels, std::vector<std::uint8_t> categories);
  // Throws DataError for the first cloud that read() would not take.
  void check_all() const;

  std::int64_t size() const override { return size_; }
  void read(std::int64_t index, PointCloud& out) const override;
  std::int64_t stratum(std::int64_t index) const override;

 private:
  // The clouds of one file.
  struct Part {
    std::filesystem::path file;
    std::int64_t first = 0;
    std::vector<float> values;
    std::vector<std::uint8_t> labels;
    std::vector<std::uint8_t> categories;
  };
  const Part& part_of(std::int64_t index) const;
  [[noreturn]] void fail(const Part& part, std::int64_t row, const std::string& what) const;
  void check_labels(const Part& part, std::int64_t row, const PointCloud& cloud) const;

  std::int64_t columns_;
  std::int64_t points_;
  bool segmentation_;
  std::int64_t classes_;
  std::vector<LabelRange> categories_;
  std::vector<Part> parts_;
  std::int64_t size_ = 0;
};

}  // namespace tbn
