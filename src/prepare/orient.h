// Pictures as they are to be seen: turned and mirrored by the orientation that a photo's EXIF data
// says. Reading of files and tbn/prepare.h turn them alike.
#pragma once

#include <cstdint>

namespace tbn {

// [height, width, channels] bytes, as stored; channels is 1 or 3.
struct StoredPixels {
  const std::uint8_t* data = nullptr;
  std::int64_t height = 0;
  std::int64_t width = 0;
  int channels = 3;
};

// Whether the orientation (1 to 8) swaps rows and columns.
inline bool swaps_sides(int exif) { return exif > 4; }

// Writes the picture upright, [height, width, 3], sides swapped where the orientation does so. Grey
// becomes three equal channels.
void turn_upright(const StoredPixels& stored, int exif, std::uint8_t* out);

}  // namespace tbn
