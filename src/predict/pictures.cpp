// Views of picture files, and pictures for networks of one fixed size.
#include "predict/pictures.h"

#include <algorithm>

#include <fmt/format.h>

#include "data/images/fixed_view.h"
#include "data/images/picture.h"
#include "prepare/inputs.h"
#include "tbn/error.h"

namespace tbn {
namespace {

// The options of folders of pictures that the rule's steps say; nothing where they do not resize,
// or to no square.
std::optional<FolderOptions> view_of(const NetworkForm& form) {
  const Shape& shape = form.input;
  if (!form.rule.input || shape.size() != 3 || shape[0] != 3 || shape[1] != shape[2]) return {};
  check_steps_known(*form.rule.input, "the network's file");
  FolderOptions options{.image_size = shape[1], .decode = Decode::kExact};
  bool resizes = false;
  for (const InputStep& step : form.rule.input->steps) {
    if (std::holds_alternative<DecodeStep>(step)) options.decode = Decode::kReduce;
    if (std::holds_alternative<OrientStep>(step)) options.turn = true;
    if (const auto* resize = std::get_if<ResizeStep>(&step)) {
      options.resize = resize->shorter;
      resizes = true;
    }
  }
  if (!resizes) return {};
  return options;
}

std::vector<float> as_floats(const std::vector<std::uint8_t>& bytes) {
  return {bytes.begin(), bytes.end()};
}

// Luminance by ITU-R BT.601, in the integers of Pillow.
std::vector<std::uint8_t> grey_of(std::span<const std::uint8_t> rgb) {
  std::vector<std::uint8_t> grey(rgb.size() / 3);
  for (std::size_t i = 0; i < grey.size(); ++i) {
    const std::uint32_t sum =
        19595U * rgb[3 * i] + 38470U * rgb[3 * i + 1] + 7471U * rgb[3 * i + 2];
    grey[i] = static_cast<std::uint8_t>((sum + 0x8000U) >> 16);
  }
  return grey;
}

}  // namespace

std::vector<float> pixel_values(std::span<const std::uint8_t> pixels, std::int64_t height,
                                std::int64_t width, int channels, const NetworkForm& form) {
  std::vector<std::uint8_t> input(static_cast<std::size_t>(element_count(form.input)));
  std::vector<std::uint8_t> grey;
  if (channels == 3 && !form.input.empty() && form.input[0] == 1) {
    grey = grey_of(pixels);
    pixels = grey;
    channels = 1;
  }
  prepare_image(form.rule, form.input,
                {.pixels = pixels.data(),
                 .height = height,
                 .width = width,
                 .channels = channels,
                 .fit = true},
                input);
  return as_floats(input);
}

std::vector<float> picture_values(std::span<const std::uint8_t> bytes, const std::string& name,
                                  const NetworkForm& form) {
  if (std::ssize(bytes) > kMaxJpegBytes) {
    throw DataError(
        fmt::format("{}: has {} bytes; the limit is {}", name, bytes.size(), kMaxJpegBytes));
  }
  if (const auto options = view_of(form)) {
    std::vector<std::uint8_t> input(static_cast<std::size_t>(element_count(form.input)));
    fixed_view(bytes, name, *options, input.data());
    return as_floats(input);
  }
  PictureDecoder picture(bytes, name);
  const RgbImage image = picture.decode(1);
  return pixel_values(
      {image.pixels.get(), static_cast<std::size_t>(3 * image.height * image.width)}, image.height,
      image.width, 3, form);
}

}  // namespace tbn
