// Labelled images in host memory as every reader returns them: raw bytes, channels first. What is
// normalised, augmented or moved to a device is made from these by others.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tbn {

struct ImageSet {
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<std::uint8_t> pixels;  // [n, C, H, W], 0..255
  std::vector<std::int32_t> labels;  // [n], each below class_names.size()
  std::vector<std::string> class_names;

  std::int64_t size() const { return static_cast<std::int64_t>(labels.size()); }
  std::int64_t classes() const { return static_cast<std::int64_t>(class_names.size()); }
  std::int64_t image_bytes() const { return channels * height * width; }
};

// The images at `indices`, in that order. Throws InternalError for an index outside the set.
ImageSet select(const ImageSet& set, std::span<const std::int64_t> indices);

// Mean and standard deviation (of the population) of each channel, in units of 0..255, so that
// (pixel - mean) / deviation is normalised. A constant channel has deviation 0; an empty set zeros.
struct ChannelStatistics {
  std::vector<double> mean;       // [C]
  std::vector<double> deviation;  // [C]
};
ChannelStatistics channel_statistics(const ImageSet& set);

}  // namespace tbn
