// Which part of an image the network sees: a random one for training, the centre otherwise, both as
// torchvision chooses them. Windows are in pixels of the image as stored.
#pragma once

#include <cstdint>

#include "data/counter_rng.h"
#include "data/images/resize.h"

namespace tbn {

// RandomResizedCrop: a share of the area uniform in [min_area, 1], a ratio of width to height whose
// logarithm is uniform in that of 3/4 .. 4/3, and any place. After ten windows that do not fit, the
// largest in the centre whose ratio is allowed; so min_area 1 takes all of a square image.
ResizeBox random_window(std::int64_t height, std::int64_t width, double min_area, CounterRng& rng);

// What remains when the image's shorter side becomes `resize` pixels and a square of `side` is cut
// out of the centre. side <= resize.
ResizeBox centre_window(std::int64_t height, std::int64_t width, std::int64_t resize,
                        std::int64_t side);

}  // namespace tbn
