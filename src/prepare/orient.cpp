// Each upright pixel is fetched from where it is stored.
#include "prepare/orient.h"

namespace tbn {
namespace {

struct Place {
  std::int64_t y = 0;
  std::int64_t x = 0;
};

// Where the pixel (y, x) of the upright picture lies in the stored one. Of the eight orientations
// the last four swap rows and columns.
Place stored_place(int exif, const StoredPixels& picture, std::int64_t y, std::int64_t x) {
  const std::int64_t bottom = picture.height - 1;
  const std::int64_t right = picture.width - 1;
  switch (exif) {
    case 2:
      return {y, right - x};
    case 3:
      return {bottom - y, right - x};
    case 4:
      return {bottom - y, x};
    case 5:
      return {x, y};
    case 6:
      return {bottom - x, y};
    case 7:
      return {bottom - x, right - y};
    case 8:
      return {x, right - y};
    default:
      return {y, x};
  }
}

}  // namespace

void turn_upright(const StoredPixels& stored, int exif, std::uint8_t* out) {
  const std::int64_t height = swaps_sides(exif) ? stored.width : stored.height;
  const std::int64_t width = swaps_sides(exif) ? stored.height : stored.width;
  const std::int64_t step = stored.channels == 3 ? 1 : 0;
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      const Place at = stored_place(exif, stored, y, x);
      const std::uint8_t* from = stored.data + (at.y * stored.width + at.x) * stored.channels;
      for (std::int64_t c = 0; c < 3; ++c) *out++ = from[c * step];
    }
  }
}

}  // namespace tbn
