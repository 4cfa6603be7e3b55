// Selections of an image set and its channel statistics.
#include "data/source/image_set.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tbn/error.h"

namespace tbn {

ImageSet select(const ImageSet& set, std::span<const std::int64_t> indices) {
  ImageSet out;
  out.channels = set.channels;
  out.height = set.height;
  out.width = set.width;
  out.class_names = set.class_names;
  const auto bytes = static_cast<std::size_t>(set.image_bytes());
  out.pixels.resize(indices.size() * bytes);
  out.labels.resize(indices.size());
  for (std::size_t i = 0; i < indices.size(); ++i) {
    TBN_CHECK(indices[i] >= 0 && indices[i] < set.size(), "select: index outside the image set");
    const auto from = static_cast<std::size_t>(indices[i]);
    std::memcpy(out.pixels.data() + i * bytes, set.pixels.data() + from * bytes, bytes);
    out.labels[i] = set.labels[from];
  }
  return out;
}

ChannelStatistics channel_statistics(const ImageSet& set) {
  const auto channels = static_cast<std::size_t>(set.channels);
  const auto area = static_cast<std::size_t>(set.height * set.width);
  // Integer sums are exact: 255^2 times any number of pixels that fits in memory is below 2^64.
  std::vector<std::uint64_t> sums(channels, 0);
  std::vector<std::uint64_t> squares(channels, 0);
  const std::uint8_t* pixel = set.pixels.data();
  for (std::int64_t i = 0; i < set.size(); ++i) {
    for (std::size_t c = 0; c < channels; ++c) {
      std::uint64_t sum = 0;
      std::uint64_t square = 0;
      for (std::size_t k = 0; k < area; ++k) {
        const std::uint64_t value = *pixel++;
        sum += value;
        square += value * value;
      }
      sums[c] += sum;
      squares[c] += square;
    }
  }
  ChannelStatistics out{std::vector<double>(channels, 0.0), std::vector<double>(channels, 0.0)};
  const double count = static_cast<double>(set.size()) * static_cast<double>(area);
  for (std::size_t c = 0; c < channels && count > 0; ++c) {
    out.mean[c] = static_cast<double>(sums[c]) / count;
    const double variance = static_cast<double>(squares[c]) / count - out.mean[c] * out.mean[c];
    out.deviation[c] = std::sqrt(std::max(variance, 0.0));
  }
  return out;
}

}  // namespace tbn
