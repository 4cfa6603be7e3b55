// The fourteen operations. Those that look a byte up in a table come first, then those that blend
// the image with another one, then those that move pixels.
#include "data/images/randaugment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "tbn/error.h"

namespace tbn {
namespace {

using Table = std::array<std::uint8_t, 256>;
using Histogram = std::array<std::int64_t, 256>;

std::size_t plane_bytes(const PlanarImage& image) {
  return static_cast<std::size_t>(image.plane());
}

void look_up(const Table& table, std::uint8_t* plane, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) plane[i] = table[plane[i]];
}

template <class F>
void map_bytes(const PlanarImage& image, F f) {
  Table table;
  for (int i = 0; i < 256; ++i) table[static_cast<std::size_t>(i)] = f(i);
  look_up(table, image.pixels, static_cast<std::size_t>(image.channels) * plane_bytes(image));
}

Histogram histogram_of(const std::uint8_t* plane, std::size_t count) {
  Histogram histogram{};
  for (std::size_t i = 0; i < count; ++i) ++histogram[plane[i]];
  return histogram;
}

// Stretches a channel's values to 0 .. 255.
void autocontrast(std::uint8_t* plane, std::size_t count) {
  const auto [low, high] = std::minmax_element(plane, plane + count);
  if (*high <= *low) return;
  const double scale = 255.0 / (*high - *low);
  const double offset = -*low * scale;
  Table table;
  for (int i = 0; i < 256; ++i) {
    const double value = std::clamp(std::trunc(i * scale + offset), 0.0, 255.0);
    table[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(value);
  }
  look_up(table, plane, count);
}

// Makes a channel's values equally frequent.
void equalize(std::uint8_t* plane, std::size_t count) {
  const Histogram histogram = histogram_of(plane, count);
  const auto brightest =
      std::find_if(histogram.rbegin(), histogram.rend(), [](std::int64_t n) { return n > 0; });
  const std::int64_t step = (static_cast<std::int64_t>(count) - *brightest) / 255;
  if (step == 0) return;
  Table table;
  std::int64_t before = step / 2;
  for (std::size_t i = 0; i < table.size(); ++i) {
    table[i] = static_cast<std::uint8_t>(std::min<std::int64_t>(before / step, 255));
    before += histogram[i];
  }
  look_up(table, plane, count);
}

// other + factor (value - other): factor 0 is the other image, 1 this one, more is past it.
std::uint8_t blend(int other, int value, float factor) {
  const float mixed = static_cast<float>(other) + factor * static_cast<float>(value - other);
  return static_cast<std::uint8_t>(std::clamp(mixed, 0.0F, 255.0F));
}

// ITU-R 601 luma in 16 bits of fraction, rounded.
std::vector<std::uint8_t> grey_of(const PlanarImage& image) {
  const std::size_t count = plane_bytes(image);
  const std::uint8_t* red = image.pixels;
  std::vector<std::uint8_t> grey(count);
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned sum = 19595U * red[i] + 38470U * red[count + i] + 7471U * red[2 * count + i];
    grey[i] = static_cast<std::uint8_t>((sum + 0x8000U) >> 16);
  }
  return grey;
}

void change_color(const PlanarImage& image, float factor) {
  if (image.channels != 3) return;
  const auto grey = grey_of(image);
  for (std::int64_t c = 0; c < image.channels; ++c) {
    std::uint8_t* plane = image.pixels + c * image.plane();
    for (std::size_t i = 0; i < grey.size(); ++i) plane[i] = blend(grey[i], plane[i], factor);
  }
}

int rounded_mean(const std::uint8_t* values, std::size_t count) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += values[i];
  return static_cast<int>(static_cast<double>(sum) / static_cast<double>(count) + 0.5);
}

void change_contrast(const PlanarImage& image, float factor) {
  const std::size_t count = plane_bytes(image);
  const bool color = image.channels == 3;
  const int shared = color ? rounded_mean(grey_of(image).data(), count) : 0;
  for (std::int64_t c = 0; c < image.channels; ++c) {
    std::uint8_t* plane = image.pixels + c * image.plane();
    const int mean = color ? shared : rounded_mean(plane, count);
    for (std::size_t i = 0; i < count; ++i) plane[i] = blend(mean, plane[i], factor);
  }
}

// Against the image smoothed by a 3 x 3 kernel of ones with 5 in the middle; its border stays.
void change_sharpness(const PlanarImage& image, float factor) {
  const std::int64_t width = image.width;
  std::vector<std::uint8_t> from(plane_bytes(image));
  for (std::int64_t c = 0; c < image.channels; ++c) {
    std::uint8_t* plane = image.pixels + c * image.plane();
    std::copy_n(plane, from.size(), from.begin());
    for (std::int64_t y = 1; y + 1 < image.height; ++y) {
      for (std::int64_t x = 1; x + 1 < width; ++x) {
        const std::uint8_t* at = from.data() + y * width + x;
        int sum = 4 * at[0];
        for (const std::int64_t row : {-width, std::int64_t{0}, width}) {
          sum += at[row - 1] + at[row] + at[row + 1];
        }
        plane[y * width + x] = blend((2 * sum + 13) / 26, at[0], factor);
      }
    }
  }
}

// Where a pixel's centre (x, y) comes from: xx x + xy y + x0, yx x + yy y + y0.
struct Affine {
  double xx = 1, xy = 0, x0 = 0;
  double yx = 0, yy = 1, y0 = 0;
};

void move_pixels(const PlanarImage& image, const Affine& map) {
  std::vector<std::uint8_t> from(plane_bytes(image));
  std::vector<std::int64_t> source(from.size());
  for (std::int64_t y = 0; y < image.height; ++y) {
    for (std::int64_t x = 0; x < image.width; ++x) {
      const double cx = static_cast<double>(x) + 0.5;
      const double cy = static_cast<double>(y) + 0.5;
      const auto fx = static_cast<std::int64_t>(std::floor(map.xx * cx + map.xy * cy + map.x0));
      const auto fy = static_cast<std::int64_t>(std::floor(map.yx * cx + map.yy * cy + map.y0));
      const bool inside = fx >= 0 && fx < image.width && fy >= 0 && fy < image.height;
      source[static_cast<std::size_t>(y * image.width + x)] = inside ? fy * image.width + fx : -1;
    }
  }
  for (std::int64_t c = 0; c < image.channels; ++c) {
    std::uint8_t* plane = image.pixels + c * image.plane();
    std::copy_n(plane, from.size(), from.begin());
    for (std::size_t i = 0; i < from.size(); ++i) {
      plane[i] = source[i] < 0 ? std::uint8_t{0} : from[static_cast<std::size_t>(source[i])];
    }
  }
}

// Counterclockwise about the centre.
Affine rotation(double degrees, const PlanarImage& image) {
  const double angle = degrees * std::numbers::pi / 180;
  const double cosine = std::cos(angle);
  const double sine = std::sin(angle);
  const double cx = static_cast<double>(image.width) / 2;
  const double cy = static_cast<double>(image.height) / 2;
  return {.xx = cosine,
          .xy = -sine,
          .x0 = cx - cosine * cx + sine * cy,
          .yx = sine,
          .yy = cosine,
          .y0 = cy - sine * cx - cosine * cy};
}

}  // namespace

double op_strength(ImageOp op, int magnitude, std::int64_t height, std::int64_t width) {
  const double part = static_cast<double>(magnitude) / kMaxMagnitude;
  switch (op) {
    case ImageOp::kShearX:
    case ImageOp::kShearY:
      return 0.3 * part;
    case ImageOp::kTranslateX:
      return std::trunc(150.0 / 331.0 * static_cast<double>(width) * part);
    case ImageOp::kTranslateY:
      return std::trunc(150.0 / 331.0 * static_cast<double>(height) * part);
    case ImageOp::kRotate:
      return 30 * part;
    case ImageOp::kBrightness:
    case ImageOp::kColor:
    case ImageOp::kContrast:
    case ImageOp::kSharpness:
      return 0.9 * part;
    case ImageOp::kPosterize:
      return 8 - std::nearbyint(4 * part);
    case ImageOp::kSolarize:
      return 255 * (1 - part);
    case ImageOp::kIdentity:
    case ImageOp::kAutocontrast:
    case ImageOp::kEqualize:
      return 0;
  }
  return 0;
}

bool op_has_direction(ImageOp op) { return op >= ImageOp::kShearX && op <= ImageOp::kSharpness; }

void apply_op(ImageOp op, double strength, const PlanarImage& image) {
  const auto each_plane = [&](void (*change)(std::uint8_t*, std::size_t)) {
    for (std::int64_t c = 0; c < image.channels; ++c) {
      change(image.pixels + c * image.plane(), plane_bytes(image));
    }
  };
  const auto factor = static_cast<float>(1 + strength);
  switch (op) {
    case ImageOp::kIdentity:
      return;
    case ImageOp::kShearX:  // about the top left corner
      return move_pixels(image, {.xy = strength});
    case ImageOp::kShearY:
      return move_pixels(image, {.yx = strength});
    case ImageOp::kTranslateX:  // positive: to the right
      return move_pixels(image, {.x0 = -strength});
    case ImageOp::kTranslateY:
      return move_pixels(image, {.y0 = -strength});
    case ImageOp::kRotate:
      return move_pixels(image, rotation(strength, image));
    case ImageOp::kBrightness:
      return map_bytes(image, [&](int value) { return blend(0, value, factor); });
    case ImageOp::kColor:
      return change_color(image, factor);
    case ImageOp::kContrast:
      return change_contrast(image, factor);
    case ImageOp::kSharpness:
      return change_sharpness(image, factor);
    case ImageOp::kPosterize: {
      const int dropped = (1 << (8 - static_cast<int>(strength))) - 1;
      return map_bytes(image,
                       [&](int value) { return static_cast<std::uint8_t>(value & ~dropped); });
    }
    case ImageOp::kSolarize:
      return map_bytes(image, [&](int value) {
        return static_cast<std::uint8_t>(value < strength ? value : 255 - value);
      });
    case ImageOp::kAutocontrast:
      return each_plane(autocontrast);
    case ImageOp::kEqualize:
      return each_plane(equalize);
  }
}

void rand_augment(int count, int magnitude, CounterRng& rng, const PlanarImage& image) {
  TBN_CHECK(magnitude >= 0 && magnitude <= kMaxMagnitude, "rand_augment: magnitude out of range");
  for (int i = 0; i < count; ++i) {
    const auto op = static_cast<ImageOp>(rng.below(kImageOps));
    double strength = op_strength(op, magnitude, image.height, image.width);
    if (op_has_direction(op) && rng.coin()) strength = -strength;
    apply_op(op, strength, image);
  }
}

}  // namespace tbn
