// Clouds of points in HDF5 files, as PointNet's authors published their data sets:
// data [n, P, columns], label [n, 1] or [n, P], and where asked for normal [n, P, 3], pid [n, P].
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tbn {

struct CloudFields {
  std::int64_t columns = 3;   // of `data`
  bool normals = false;       // from `normal`, to follow the columns
  bool categories = false;    // `label` is the category, `pid` the points' labels
  bool point_labels = false;  // `label` is the points' labels
};

struct CloudFile {
  std::int64_t clouds = 0;
  std::int64_t points = 0;               // a cloud
  std::vector<float> values;             // [clouds, points, columns]
  std::vector<std::uint8_t> labels;      // [clouds] or [clouds, points]
  std::vector<std::uint8_t> categories;  // [clouds] or empty
};

// The files <prefix>0.h5, <prefix>1.h5, ... of a folder, in the order of their numbers. Throws
// DataError when there is none.
std::vector<std::filesystem::path> numbered_files(const std::filesystem::path& folder,
                                                  const std::string& prefix);

// Throws DataError for a file that is damaged or has datasets of other shapes; ConfigError when it
// has clouds of fewer than `count` points or lacks the normals that were asked for.
CloudFile read_cloud_file(const std::filesystem::path& path, const CloudFields& fields,
                          std::int64_t count);

}  // namespace tbn
