// The shape of the known data sets' images, so that a network can be built, counted and printed
// without reading a file.
#pragma once

#include <cstdint>
#include <string>

namespace tbn {

struct DatasetInfo {
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t classes = 0;
};

// Throws ConfigError that lists the known names.
DatasetInfo dataset_info(const std::string& name);

}  // namespace tbn
