// Crop and flip, row by row: a row is a memcpy between two runs of zeros, mirrored if flipped. What
// else there is changes the result in place.
#include "data/images/augment.h"

#include <algorithm>
#include <cstring>

#include "base/counter_rng.h"
#include "data/images/randaugment.h"
#include "tbn/error.h"

namespace tbn {
namespace {

CounterRng augment_rng(std::uint64_t seed, std::int64_t epoch, std::int64_t index) {
  return {seed, RngUse::kAugment, static_cast<std::uint64_t>(epoch),
          static_cast<std::uint64_t>(index)};
}

AugmentChoice draw_choice(const AugmentOptions& options, CounterRng& rng) {
  AugmentChoice choice;
  if (options.crop_padding > 0) {
    const auto positions = 2 * static_cast<std::uint32_t>(options.crop_padding) + 1;
    choice.shift_y = static_cast<int>(rng.below(positions)) - options.crop_padding;
    choice.shift_x = static_cast<int>(rng.below(positions)) - options.crop_padding;
  }
  if (options.flip) choice.flip = rng.coin();
  return choice;
}

// An even square's centre lies between pixels: it reaches one further up and to the left.
void draw_cutout(std::int64_t side, std::int64_t height, std::int64_t width, CounterRng& rng,
                 ViewChoice& view) {
  view.cutout_top = rng.below(static_cast<std::uint32_t>(height)) - side / 2;
  view.cutout_left = rng.below(static_cast<std::uint32_t>(width)) - side / 2;
}

void cut_out(std::int64_t side, const ViewChoice& view, const PlanarImage& image) {
  const std::int64_t top = std::max<std::int64_t>(view.cutout_top, 0);
  const std::int64_t left = std::max<std::int64_t>(view.cutout_left, 0);
  const std::int64_t bottom = std::min(view.cutout_top + side, image.height);
  const std::int64_t right = std::min(view.cutout_left + side, image.width);
  for (std::int64_t c = 0; c < image.channels; ++c) {
    for (std::int64_t row = top; row < bottom; ++row) {
      std::memset(image.pixels + (c * image.height + row) * image.width + left, kCutoutGrey,
                  static_cast<std::size_t>(right - left));
    }
  }
}

}  // namespace

AugmentChoice draw_augment(const AugmentOptions& options, std::uint64_t seed, std::int64_t epoch,
                           std::int64_t index) {
  CounterRng rng = augment_rng(seed, epoch, index);
  return draw_choice(options, rng);
}

ViewChoice draw_view(const AugmentOptions& options, std::uint64_t seed, std::int64_t epoch,
                     std::int64_t index, std::int64_t height, std::int64_t width) {
  TBN_CHECK(options.randaugment == 0, "draw_view: RandAugment draws between crop and cutout");
  CounterRng rng = augment_rng(seed, epoch, index);
  ViewChoice view{.crop = draw_choice(options, rng)};
  if (options.cutout > 0) draw_cutout(options.cutout, height, width, rng, view);
  return view;
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

void augment_image(const AugmentOptions& options, std::uint64_t seed, std::int64_t epoch,
                   std::int64_t index, std::int64_t channels, std::int64_t height,
                   std::int64_t width, const std::uint8_t* in, std::uint8_t* out) {
  CounterRng rng = augment_rng(seed, epoch, index);
  augment_image(draw_choice(options, rng), channels, height, width, in, out);
  const PlanarImage image{channels, height, width, out};
  if (options.randaugment > 0) rand_augment(options.randaugment, options.magnitude, rng, image);
  if (options.cutout > 0) {
    ViewChoice view;
    draw_cutout(options.cutout, height, width, rng, view);
    cut_out(options.cutout, view, image);
  }
}

}  // namespace tbn
