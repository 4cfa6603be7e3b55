// The centre of a resized image, in pixels of the stored one.
#include "prepare/centre_window.h"

#include <cmath>

namespace tbn {

ResizeBox centre_window(std::int64_t height, std::int64_t width, std::int64_t resize,
                        std::int64_t rows, std::int64_t columns) {
  const std::int64_t shorter = height < width ? height : width;
  // Along one axis: the first pixel of the crop and its length, in pixels of the resized image, are
  // brought back to pixels of the stored one.
  const auto along = [&](std::int64_t length, std::int64_t side, double& start, double& extent) {
    const std::int64_t resized = resize * length / shorter;
    const double scale = static_cast<double>(length) / static_cast<double>(resized);
    start = std::nearbyint(static_cast<double>(resized - side) / 2) * scale;
    extent = static_cast<double>(side) * scale;
  };
  ResizeBox box;
  along(height, rows, box.top, box.height);
  along(width, columns, box.left, box.width);
  return box;
}

}  // namespace tbn
