// Reads clouds from HDF5 files and holds their shapes against each other.
#include "data/points/hdf5_clouds.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/counted.h"
#include "data/points/hdf5_file.h"
#include "data/points/point_set.h"
#include "tbn/error.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

void expect_shape(const fs::path& path, const Hdf5File& file, const std::string& name,
                  const std::vector<Shape>& allowed) {
  const Shape shape = file.shape(name);
  if (std::find(allowed.begin(), allowed.end(), shape) != allowed.end()) return;
  throw DataError(fmt::format("'{}': dataset '{}' is {}; it must be {}", path.string(), name,
                              to_string(shape), to_string(allowed.front())));
}

// Puts the normals behind the coordinates of their points.
std::vector<float> interleaved(const std::vector<float>& values,
                               const std::vector<float>& normals) {
  std::vector<float> out;
  out.reserve(values.size() + normals.size());
  for (std::size_t i = 0; i < values.size(); i += 3) {
    const auto at = static_cast<std::ptrdiff_t>(i);
    out.insert(out.end(), values.begin() + at, values.begin() + at + 3);
    out.insert(out.end(), normals.begin() + at, normals.begin() + at + 3);
  }
  return out;
}

void check_points(const fs::path& path, std::int64_t points, std::int64_t count) {
  if (points < kFewestCloudPoints) {
    throw DataError(fmt::format("'{}': clouds of {}; a cloud needs at least {}", path.string(),
                                counted(points, "point"), kFewestCloudPoints));
  }
  if (count > points) {
    throw ConfigError(
        fmt::format("data.points.count: {} is out of range; the clouds of '{}' have {}", count,
                    path.string(), counted(points, "point")));
  }
}

void read_values(const fs::path& path, const Hdf5File& file, const CloudFields& fields,
                 CloudFile& out) {
  out.values = file.floats("data");
  if (!fields.normals) return;
  if (!file.contains("normal")) {
    throw ConfigError(
        fmt::format("data.points.normals: '{}' has none; set it to false", path.string()));
  }
  expect_shape(path, file, "normal", {{out.clouds, out.points, 3}});
  out.values = interleaved(out.values, file.floats("normal"));
}

}  // namespace

std::vector<fs::path> numbered_files(const fs::path& folder, const std::string& prefix) {
  std::map<std::int64_t, fs::path> files;
  std::error_code error;
  for (fs::directory_iterator i(folder, error), end; !error && i != end; i.increment(error)) {
    const std::string name = i->path().filename().string();
    if (!name.starts_with(prefix) || !name.ends_with(".h5")) continue;
    const std::string number = name.substr(prefix.size(), name.size() - prefix.size() - 3);
    const bool digits =
        std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (number.empty() || number.size() > 6 || !digits) continue;
    files.emplace(std::stoll(number), i->path());
  }
  if (error) throw SystemError(fmt::format("'{}': {}", folder.string(), error.message()));
  if (files.empty()) {
    throw DataError(fmt::format("'{}': there is no '{}0.h5'", folder.string(), prefix));
  }
  std::vector<fs::path> paths;
  paths.reserve(files.size());
  for (auto& [number, path] : files) paths.push_back(std::move(path));
  return paths;
}

CloudFile read_cloud_file(const fs::path& path, const CloudFields& fields, std::int64_t count) {
  const Hdf5File file(path);
  const Shape shape = file.shape("data");
  if (shape.size() != 3 || shape[2] != fields.columns) {
    throw DataError(fmt::format("'{}': dataset 'data' is {}; it must be [clouds, points, {}]",
                                path.string(), to_string(shape), fields.columns));
  }
  CloudFile out;
  out.clouds = shape[0];
  out.points = shape[1];
  check_points(path, out.points, count);
  const std::vector<Shape> one_each = {{out.clouds, 1}, {out.clouds}};
  const std::vector<Shape> one_per_point = {{out.clouds, out.points}};
  expect_shape(path, file, "label", fields.point_labels ? one_per_point : one_each);
  if (fields.categories) {
    expect_shape(path, file, "pid", one_per_point);
    out.categories = file.bytes("label");
    out.labels = file.bytes("pid");
  } else {
    out.labels = file.bytes("label");
  }
  read_values(path, file, fields, out);
  return out;
}

}  // namespace tbn
