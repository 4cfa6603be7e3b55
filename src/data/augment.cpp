// Crop and flip, row by row: a row is a memcpy between two runs of zeros, mirrored if flipped.
#include "data/augment.h"

#include <algorithm>
#include <cstring>

#include "data/counter_rng.h"

namespace tbn {

AugmentChoice draw_augment(const AugmentOptions& options, std::uint64_t seed, std::int64_t epoch,
                           std::int64_t index) {
  CounterRng rng(seed, RngUse::kAugment, static_cast<std::uint64_t>(epoch),
                 static_cast<std::uint64_t>(index));
  AugmentChoice choice;
  if (options.crop_padding > 0) {
    const auto positions = 2 * static_cast<std::uint32_t>(options.crop_padding) + 1;
    choice.shift_y = static_cast<int>(rng.below(positions)) - options.crop_padding;
    choice.shift_x = static_cast<int>(rng.below(positions)) - options.crop_padding;
  }
  if (options.flip) choice.flip = rng.coin();
  return choice;
}

void augment_image(const AugmentChoice& choice, std::int64_t channels, std::int64_t height,
                   std::int64_t width, const std::uint8_t* in, std::uint8_t* out) {
  const std::int64_t dx = choice.shift_x;
  // Columns [first, last) of an output row come from the image, the others are padding.
  const std::int64_t first = std::clamp<std::int64_t>(-dx, 0, width);
  const std::int64_t last = std::clamp<std::int64_t>(width - dx, first, width);
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t y = 0; y < height; ++y) {
      std::uint8_t* to = out + (c * height + y) * width;
      const std::int64_t from_y = y + choice.shift_y;
      if (from_y < 0 || from_y >= height || first == last) {
        std::memset(to, 0, static_cast<std::size_t>(width));
        continue;
      }
      const std::uint8_t* from = in + (c * height + from_y) * width;
      std::memset(to, 0, static_cast<std::size_t>(first));
      std::memcpy(to + first, from + first + dx, static_cast<std::size_t>(last - first));
      std::memset(to + last, 0, static_cast<std::size_t>(width - last));
      if (choice.flip) std::reverse(to, to + width);
    }
  }
}

}  // namespace tbn
