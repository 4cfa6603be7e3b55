// RandAugment (Cubuk et al. 2020): a few operations in a row, drawn from fourteen, all at one
// magnitude. The list, the magnitudes and the directions are torchvision's; what each operation
// does to the bytes is Pillow's arithmetic. Geometric operations take the nearest pixel and bring
// in zeros (black), as a shifted crop does.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/counter_rng.h"

namespace tbn {

// A [channels, height, width] image of bytes. With 3 channels they are red, green and blue; any
// other number has no colour: each channel is an image of its own.
struct PlanarImage {
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::uint8_t* pixels = nullptr;

  std::int64_t plane() const { return height * width; }
};

// The order is part of what a seed means.
enum class ImageOp {
  kIdentity,
  kShearX,
  kShearY,
  kTranslateX,
  kTranslateY,
  kRotate,
  kBrightness,
  kColor,
  kContrast,
  kSharpness,
  kPosterize,
  kSolarize,
  kAutocontrast,
  kEqualize,
};
inline constexpr int kImageOps = 14;
inline constexpr int kMaxMagnitude = 30;

// What `magnitude` (0 .. kMaxMagnitude) means for an operation, before a direction is drawn: a
// shear (0 .. 0.3), pixels (up to 150/331 of the side), degrees (0 .. 30), a change of factor (0 ..
// 0.9), bits kept (8 .. 4), a threshold (255 .. 0), or 0 where nothing is set.
double op_strength(ImageOp op, int magnitude, std::int64_t height, std::int64_t width);
// Whether the strength is taken as it is or negated, with probability 1/2 each.
bool op_has_direction(ImageOp op);

// Changes the image in place.
void apply_op(ImageOp op, double strength, const PlanarImage& image);

// `count` operations in a row. Draws from `rng` for each: the operation, then its direction.
void rand_augment(int count, int magnitude, CounterRng& rng, const PlanarImage& image);

}  // namespace tbn
