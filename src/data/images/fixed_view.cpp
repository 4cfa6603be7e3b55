// Decoded, resized and cut as its rule says.
#include "data/images/fixed_view.h"

#include <algorithm>

#include <fmt/format.h>

#include "data/images/exif.h"
#include "prepare/centre_window.h"
#include "tbn/error.h"

namespace tbn {

std::int64_t evaluation_resize(const FolderOptions& options) {
  constexpr std::int64_t kMaxSide = 4096;
  if (options.resize > 0) return options.resize;
  return std::min<std::int64_t>((options.image_size * 8 + 3) / 7, kMaxSide);
}

int view_denominator(const PictureDecoder& picture, const ResizeBox& window, std::int64_t side,
                     bool reduce, const std::string& name) {
  const int possible =
      picture.reduces() ? largest_denominator(window.height, window.width, side, side) : 1;
  if (reduce) return possible;
  if (possible > 1 && picture.height() * picture.width() > kMaxJpegPixels) {
    throw DataError(fmt::format(
        "{}: {} x {} pixels are too many to decode exactly: the limit is {} pixels; make the "
        "image smaller, or set data.decode to reduce",
        name, picture.width(), picture.height(), kMaxJpegPixels));
  }
  return 1;
}

ResizeBox reduced(const ResizeBox& window, int denominator) {
  const double scale = 1.0 / denominator;
  return {window.top * scale, window.left * scale, window.height * scale, window.width * scale};
}

void fixed_view(std::span<const std::uint8_t> bytes, const std::string& name,
                const FolderOptions& options, std::uint8_t* out) {
  PictureDecoder picture(bytes, name);
  if (options.turn) picture.turn(exif_orientation(bytes));
  const std::int64_t side = options.image_size;
  const ResizeBox window =
      centre_window(picture.height(), picture.width(), evaluation_resize(options), side, side);
  const int by = view_denominator(picture, window, side, options.decode == Decode::kReduce, name);
  const RgbImage image = picture.decode(by);
  // The centre is cut out of the resized image, which saw the pixels around it.
  const ResizeBounds all{.bottom = image.height, .right = image.width};
  resize_to_planes(image.pixels.get(), image.width, all, reduced(window, by), side, side, out);
}

}  // namespace tbn
