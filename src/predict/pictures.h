// Pictures as inputs: decoded and prepared as evaluation does it, to the bit.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "predict/input.h"

namespace tbn {

// A JPEG or PNG file of any size. Where the rule does not resize (MNIST, CIFAR), a picture of
// another size is resized as a whole; for networks of one channel its colours become grey as
// Pillow's convert("L") makes them. `name` starts the error sentences ("'a.jpg'"). Throws
// DataError, and ConfigError where the network takes no pictures.
std::vector<float> picture_values(std::span<const std::uint8_t> bytes, const std::string& name,
                                  const NetworkForm& form);

// The same of decoded pixels, [height, width, channels], channels being 1 or 3.
std::vector<float> pixel_values(std::span<const std::uint8_t> pixels, std::int64_t height,
                                std::int64_t width, int channels, const NetworkForm& form);

}  // namespace tbn
