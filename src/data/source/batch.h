// One step's samples, side by side.
#pragma once

#include <cstdint>
#include <vector>

namespace tbn {

struct Batch {
  std::int64_t size = 0;
  std::vector<std::uint8_t> bytes;    // [size, ...input] of images, else empty
  std::vector<float> values;          // [size, ...input] of points and series, else empty
  std::vector<std::int64_t> labels;   // [size] or [size, N]
  std::vector<float> targets;         // [size, H, C]
  std::vector<std::int64_t> samples;  // [size]: the number of each in the set
  // Mixed images (mixup, cutmix): the labels of what was mixed in, and how much `labels` count.
  std::vector<std::int64_t> other_labels;
  double weight = 1;
  // The numbers, in the set, of samples that belong here and could not be read (data.on_error).
  std::vector<std::int64_t> unread;
};

}  // namespace tbn
