// Which part of an image the network sees when nothing is random: the centre, as torchvision
// chooses it.
#pragma once

#include <cstdint>

#include "prepare/resize.h"

namespace tbn {

// What remains when the image's shorter side becomes `resize` pixels and `rows` by `columns` are
// cut out of the centre, in pixels of the image as stored. Neither is more than `resize`.
ResizeBox centre_window(std::int64_t height, std::int64_t width, std::int64_t resize,
                        std::int64_t rows, std::int64_t columns);

}  // namespace tbn
