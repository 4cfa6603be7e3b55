// Which part of an image the network sees in training: a random one, as torchvision chooses it
// (else prepare/centre_window.h). Windows are in pixels of the image as stored.
#pragma once

#include <cstdint>

#include "base/counter_rng.h"
#include "prepare/resize.h"

namespace tbn {

// RandomResizedCrop: a share of the area uniform in [min_area, 1], a ratio of width to height whose
// logarithm is uniform in that of 3/4 .. 4/3, and any place. After ten windows that do not fit, the
// largest in the centre whose ratio is allowed; so min_area 1 takes all of a square image.
ResizeBox random_window(std::int64_t height, std::int64_t width, double min_area, CounterRng& rng);

}  // namespace tbn
