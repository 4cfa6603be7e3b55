// Random crop, horizontal flip, RandAugment and cutout of uint8 images, channels first. What is
// drawn for an image depends on (seed, epoch, its index in the set) alone, never on threads or
// batches.
#pragma once

#include <cstdint>

#include "data/source/options.h"

namespace tbn {

inline constexpr int kCutoutGrey = 128;

struct AugmentChoice {
  int shift_y = 0;  // out(y, x) = in(y + shift_y, x + shift_x), 0 outside
  int shift_x = 0;
  bool flip = false;  // then out(y, x) = out(y, W - 1 - x)
};

// A view with its cutout: where the square begins, which may be outside of the image.
struct ViewChoice {
  AugmentChoice crop;
  std::int64_t cutout_top = 0;
  std::int64_t cutout_left = 0;
};

// Shifts are uniform in [-crop_padding, crop_padding]: the crop of an image padded on all sides.
AugmentChoice draw_augment(const AugmentOptions& options, std::uint64_t seed, std::int64_t epoch,
                           std::int64_t index);

// All that is drawn for an image without RandAugment, whose operations draw on their own.
ViewChoice draw_view(const AugmentOptions& options, std::uint64_t seed, std::int64_t epoch,
                     std::int64_t index, std::int64_t height, std::int64_t width);

// Writes the chosen view of `in` to `out`, both [C, H, W]; they must not overlap.
void augment_image(const AugmentChoice& choice, std::int64_t channels, std::int64_t height,
                   std::int64_t width, const std::uint8_t* in, std::uint8_t* out);

// All of the options: crop and flip as draw_augment chooses them, RandAugment, and last a cutout
// whose centre is any pixel of the image, so that the square may be clipped.
void augment_image(const AugmentOptions& options, std::uint64_t seed, std::int64_t epoch,
                   std::int64_t index, std::int64_t channels, std::int64_t height,
                   std::int64_t width, const std::uint8_t* in, std::uint8_t* out);

}  // namespace tbn
