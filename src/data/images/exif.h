// The one field of a photo's EXIF data that changes what is seen: how the camera was held.
#pragma once

#include <cstdint>
#include <span>

namespace tbn {

// The orientation that the EXIF data of a JPEG (APP1) or a PNG (eXIf, wherever it stands) give, 1
// to 8 (1: as stored; 2 mirrored, 3 upside down, 6 and 8 turned by a quarter, as the EXIF standard
// numbers them). 1 where there is none, and for anything that is not well formed: damaged extra
// information is no reason to lose an image.
int exif_orientation(std::span<const std::uint8_t> picture);

}  // namespace tbn
