// Copies an image, or an augmented view of it.
#include "data/images/memory_images.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "tbn/error.h"

namespace tbn {

SampleSpec image_spec(Shape image, std::vector<std::string> class_names) {
  const auto classes = static_cast<std::int64_t>(class_names.size());
  return {.input = std::move(image),
          .bytes = true,
          .task = {.task = Task::kClassification, .output = {classes}},
          .class_names = std::move(class_names),
          .class_folders = {},
          .categories = {}};
}

MemoryImages::MemoryImages(ImageSet images, const AugmentOptions& augment)
    : images_(std::move(images)), augment_(augment) {
  TBN_CHECK(
      static_cast<std::int64_t>(images_.pixels.size()) == images_.size() * images_.image_bytes(),
      "MemoryImages: pixels and labels do not match");
  const std::int64_t side = std::min(images_.height, images_.width);
  if (augment_.crop_padding < 0 || (augment_.crop_padding > 0 && augment_.crop_padding >= side)) {
    throw ConfigError(fmt::format("data.crop_padding: {} is out of range; it must be 0 to {}",
                                  augment_.crop_padding, side - 1));
  }
  spec_ = image_spec({images_.channels, images_.height, images_.width}, images_.class_names);
}

bool MemoryImages::read(std::int64_t index, const ReadContext& context, SampleOut out) const {
  const std::int64_t bytes = images_.image_bytes();
  const std::uint8_t* from = images_.pixels.data() + index * bytes;
  *out.labels = images_.labels[static_cast<std::size_t>(index)];
  if (context.augment && augment_.any()) {
    augment_image(augment_, context.seed, context.epoch, index, images_.channels, images_.height,
                  images_.width, from, out.bytes);
  } else {
    std::memcpy(out.bytes, from, static_cast<std::size_t>(bytes));
  }
  return true;
}

std::int64_t MemoryImages::stratum(std::int64_t index) const {
  return images_.labels[static_cast<std::size_t>(index)];
}

std::string MemoryImages::identity(std::int64_t index) const {
  return std::to_string(stratum(index));
}

}  // namespace tbn
