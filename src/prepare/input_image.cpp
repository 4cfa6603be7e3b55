// Pictures: turned, resized, cut out, channel after channel.
#include <algorithm>
#include <limits>

#include "base/counted.h"
#include "prepare/centre_window.h"
#include "prepare/inputs.h"
#include "prepare/kind.h"
#include "prepare/orient.h"
#include "prepare/resize.h"
#include "tbn/error.h"

namespace tbn {
namespace {

constexpr std::int64_t kMostPixels = 64'000'000;
constexpr std::int64_t kRgb = 3;

// What the steps ask for.
struct ImagePlan {
  bool orient = false;
  std::int64_t shorter = 0;  // 0: no resizing
  bool crop = false;
};

ImagePlan plan_of(const InputRule& rule) {
  ImagePlan plan;
  for (const InputStep& step : rule.steps) {
    if (std::holds_alternative<DecodeStep>(step)) continue;  // the caller's
    if (std::holds_alternative<OrientStep>(step)) {
      plan.orient = true;
    } else if (const auto* resize = std::get_if<ResizeStep>(&step)) {
      plan.shorter = resize->shorter;
    } else if (std::holds_alternative<CropStep>(step)) {
      plan.crop = true;
    } else {
      refuse_step(step, "pictures");
    }
  }
  return plan;
}

void check_picture(const Picture& picture, const Shape& shape) {
  if (picture.pixels == nullptr) throw ConfigError("the picture's pixels are null");
  if (picture.height < 1 || picture.width < 1 || picture.height > kMostPixels ||
      picture.width > kMostPixels / picture.height) {
    throw ConfigError("a picture of " + std::to_string(picture.height) + " x " +
                      std::to_string(picture.width) + " pixels; it must have 1 to " +
                      std::to_string(kMostPixels) + " of them");
  }
  if (picture.channels != shape[0] && !(picture.channels == 1 && shape[0] == kRgb)) {
    throw ConfigError("the picture has " + counted(picture.channels, "channel") +
                      ", and the network takes " + to_string(shape));
  }
  if (picture.exif < 1 || picture.exif > 8) {
    throw ConfigError("the picture's EXIF orientation is " + std::to_string(picture.exif) +
                      "; it must be 1 to 8");
  }
}

// Pixels as the resizer takes them: three channels, upright.
struct Upright {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<std::uint8_t> pixels;  // [height, width, 3]
};

Upright upright(const Picture& picture, bool orient) {
  const int exif = orient ? picture.exif : 1;
  Upright out{.height = swaps_sides(exif) ? picture.width : picture.height,
              .width = swaps_sides(exif) ? picture.height : picture.width};
  out.pixels.resize(static_cast<std::size_t>(out.height * out.width * kRgb));
  turn_upright({.data = picture.pixels,
                .height = picture.height,
                .width = picture.width,
                .channels = picture.channels},
               exif, out.pixels.data());
  return out;
}

// The part of the picture that becomes the network's input.
ResizeBox window_of(const ImagePlan& plan, const Upright& picture, const Shape& shape, bool fit) {
  const std::int64_t rows = shape[1];
  const std::int64_t columns = shape[2];
  const ResizeBox whole{.height = static_cast<double>(picture.height),
                        .width = static_cast<double>(picture.width)};
  const std::int64_t shorter = std::min(picture.height, picture.width);
  const std::int64_t resized = plan.shorter > 0 ? plan.shorter : shorter;
  if (plan.crop && resized >= std::max(rows, columns)) {
    return centre_window(picture.height, picture.width, resized, rows, columns);
  }
  const bool is_size =
      resized * picture.height / shorter == rows && resized * picture.width / shorter == columns;
  if (is_size || fit) return whole;
  throw ConfigError("a picture of " + std::to_string(picture.height) + " x " +
                    std::to_string(picture.width) + " pixels, and the network takes " +
                    to_string(shape) + "; its rule " +
                    (plan.crop ? "only cuts" : "does not resize") +
                    " pictures: bring it to that size, or ask for `fit`");
}

}  // namespace

void prepare_image(const Rule& rule, const Shape& shape, const Picture& picture,
                   std::span<std::uint8_t> input) {
  const ImagePlan plan = plan_of(input_of(rule, "image", "pictures"));
  if (shape.size() != 3 || (shape[0] != 1 && shape[0] != kRgb)) {
    throw ConfigError("the network takes " + to_string(shape) +
                      ", and pictures have 1 or 3 channels");
  }
  check_input_size(input.size(), shape);
  check_picture(picture, shape);
  const Upright source = upright(picture, plan.orient);
  const ResizeBox box = window_of(plan, source, shape, picture.fit);
  const ResizeBounds all{.bottom = source.height, .right = source.width};
  if (shape[0] == kRgb) {
    resize_to_planes(source.pixels.data(), source.width, all, box, shape[1], shape[2],
                     input.data());
    return;
  }
  std::vector<std::uint8_t> planes(input.size() * kRgb);
  resize_to_planes(source.pixels.data(), source.width, all, box, shape[1], shape[2], planes.data());
  std::copy_n(planes.begin(), input.size(), input.begin());
}

}  // namespace tbn
