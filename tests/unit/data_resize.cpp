// Resizing against the definition in doubles, against Pillow, and where the answer is known.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "data/images/image_window.h"
#include "prepare/centre_window.h"
#include "prepare/resize.h"
#include "support/catch.h"
#include "tbn/error.h"

using namespace tbn;

namespace {

struct Picture {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<std::uint8_t> pixels;  // [height, width, 3]

  Picture(std::int64_t h, std::int64_t w) : height(h), width(w) {
    CounterRng rng(static_cast<std::uint64_t>(h * 1000 + w));
    for (std::int64_t i = 0; i < h * w * 3; ++i) {
      pixels.push_back(static_cast<std::uint8_t>(rng.below(256)));
    }
  }
  ResizeBounds all() const { return {.bottom = height, .right = width}; }
  double at(std::int64_t y, std::int64_t x, std::int64_t c) const {
    return pixels[static_cast<std::size_t>((y * width + x) * 3 + c)];
  }
};

std::vector<std::uint8_t> resized(const Picture& picture, const ResizeBounds& bounds,
                                  const ResizeBox& box, std::int64_t height, std::int64_t width) {
  std::vector<std::uint8_t> out(static_cast<std::size_t>(3 * height * width));
  resize_to_planes(picture.pixels.data(), picture.width, bounds, box, height, width, out.data());
  return out;
}

// The mean under the triangles of one output pixel, in two dimensions at once.
double definition(const Picture& picture, const ResizeBounds& bounds, const ResizeBox& box,
                  std::int64_t height, std::int64_t width, std::int64_t c, std::int64_t oy,
                  std::int64_t ox) {
  const double dy = box.height / static_cast<double>(height);
  const double dx = box.width / static_cast<double>(width);
  const double cy = box.top + (static_cast<double>(oy) + 0.5) * dy;
  const double cx = box.left + (static_cast<double>(ox) + 0.5) * dx;
  double sum = 0;
  double weights = 0;
  for (std::int64_t y = bounds.top; y < bounds.bottom; ++y) {
    for (std::int64_t x = bounds.left; x < bounds.right; ++x) {
      const double wy = 1 - std::abs(static_cast<double>(y) + 0.5 - cy) / std::max(dy, 1.0);
      const double wx = 1 - std::abs(static_cast<double>(x) + 0.5 - cx) / std::max(dx, 1.0);
      if (wy <= 0 || wx <= 0) continue;
      sum += wy * wx * picture.at(y, x, c);
      weights += wy * wx;
    }
  }
  return sum / weights;
}

}  // namespace

TEST_CASE("a resized pixel is the mean under a triangle, for any box, up and down") {
  const Picture picture(37, 53);
  const std::vector<ResizeBox> boxes = {{0, 0, 37, 53}, {3, 5, 20, 31},
                                        {0, 40, 9, 13}, {2.5, 7.25, 30.5, 17.75},
                                        {36, 52, 1, 1}, {0.2, 0.3, 36.8, 0.4}};
  for (const ResizeBox& box : boxes) {
    for (const auto& [height, width] : {std::pair{8, 8}, {37, 53}, {64, 5}, {1, 1}, {3, 90}}) {
      for (const auto& bounds : {picture.all(), touched_by(box, 37, 53)}) {
        const auto out = resized(picture, bounds, box, height, width);
        double worst = 0;
        for (std::int64_t i = 0; i < 3 * height * width; ++i) {
          const double expected = definition(picture, bounds, box, height, width,
                                             i / (height * width), i / width % height, i % width);
          worst = std::max(worst, std::abs(expected - out[static_cast<std::size_t>(i)]));
        }
        CHECK(worst < 1.01);  // bytes are rounded after each of the two passes
      }
    }
  }
}

TEST_CASE("resizing to the same size copies") {
  const Picture picture(9, 14);
  const auto out = resized(picture, picture.all(), {2, 3, 5, 8}, 5, 8);
  int wrong = 0;
  for (std::int64_t c = 0; c < 3; ++c) {
    for (std::int64_t y = 0; y < 5; ++y) {
      for (std::int64_t x = 0; x < 8; ++x) {
        wrong += out[static_cast<std::size_t>((c * 5 + y) * 8 + x)] != picture.at(y + 2, x + 3, c);
      }
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("one colour stays what it is at every size") {
  Picture picture(40, 30);
  for (const int color : {0, 1, 127, 254, 255}) {
    const auto value = static_cast<std::uint8_t>(color);
    std::fill(picture.pixels.begin(), picture.pixels.end(), value);
    for (const std::int64_t side : {1, 7, 29, 100}) {
      const auto out = resized(picture, picture.all(), {0.3, 0, 39.7, 29.9}, side, side);
      CHECK(std::all_of(out.begin(), out.end(), [&](std::uint8_t v) { return v == value; }));
    }
  }
}

TEST_CASE("resizing agrees with Pillow") {
  // Image.resize(size, BILINEAR, box=...) of Pillow 13.0.0
  Picture picture(6, 7);
  for (std::int64_t i = 0; i < 6 * 7 * 3; ++i) {
    const std::int64_t y = i / 21, x = i / 3 % 7, c = i % 3;
    picture.pixels[static_cast<std::size_t>(i)] =
        static_cast<std::uint8_t>((37 * y + 11 * x + 91 * c + x * y * y * 5) % 256);
  }
  using Bytes = std::vector<std::uint8_t>;
  CHECK(resized(picture, picture.all(), {0, 0, 6, 7}, 2, 3) ==
        Bytes{67, 94, 112, 151, 120, 135, 137, 131, 151, 123, 94, 112, 153, 126, 125, 104, 99, 93});
  CHECK(resized(picture, picture.all(), {0.5, 1.25, 4.75, 5.5}, 3, 3) ==
        Bytes{59,  89, 103, 138, 132, 142, 151, 95, 130, 145, 146, 171, 126, 95,
              112, 96, 96,  118, 183, 109, 123, 98, 102, 116, 103, 102, 79});
  CHECK(resized(picture, picture.all(), {2, 1, 3, 4}, 5, 2) ==
        Bytes{109, 165, 138, 143, 163, 83, 159, 83, 152, 96,  174, 77, 133, 87, 62,
              142, 97,  104, 115, 85,  80, 97,  77, 107, 121, 105, 98, 105, 97, 99});
}

TEST_CASE("a window bounds what is read, and a box beside the image is refused") {
  const ResizeBounds bounds = touched_by({2.5, 3, 4, 2.1}, 6, 9);
  CHECK(bounds.top == 2);
  CHECK(bounds.bottom == 6);
  CHECK(bounds.left == 3);
  CHECK(bounds.right == 6);
  // Pixels outside the bounds do not count: without the red half a red edge stays away.
  Picture halves(4, 8);
  for (std::size_t i = 0; i < halves.pixels.size(); ++i) halves.pixels[i] = i / 3 % 8 < 4 ? 255 : 9;
  const ResizeBox right{0, 4, 4, 4};
  const auto alone = resized(halves, touched_by(right, 4, 8), right, 16, 16);
  CHECK(std::all_of(alone.begin(), alone.end(), [](std::uint8_t v) { return v == 9; }));
  CHECK(resized(halves, halves.all(), right, 16, 16).front() > 9);
  for (const ResizeBox& bad :
       {ResizeBox{0, 0, 5, 8}, {-0.1, 0, 2, 2}, {0, 0, 0, 4}, {0, 7, 1, 2}}) {
    CHECK_THROWS_AS(resized(halves, halves.all(), bad, 2, 2), InternalError);
  }
}

TEST_CASE("random windows lie in the image, with the area and the ratio asked for") {
  CounterRng rng(3);
  double smallest = 1;
  double largest = 0;
  double log_ratio_sum = 0;
  int bad = 0;
  for (int i = 0; i < 4000; ++i) {
    const ResizeBox box = random_window(300, 400, 0.08, rng);
    bad += box.top < 0 || box.left < 0 || box.top + box.height > 300 || box.left + box.width > 400;
    bad += box.height != std::floor(box.height) || box.top != std::floor(box.top);
    const double share = box.height * box.width / (300 * 400);
    const double ratio = box.width / box.height;
    bad += ratio < 0.74 || ratio > 1.35 || share < 0.078;
    smallest = std::min(smallest, share);
    largest = std::max(largest, share);
    log_ratio_sum += std::log(ratio);
  }
  CHECK(bad == 0);
  CHECK(smallest < 0.09);
  CHECK(largest > 0.95);
  CHECK(std::abs(log_ratio_sum / 4000) < 0.03);
}

TEST_CASE("where no random window fits, the largest allowed one in the centre is taken") {
  CounterRng rng(1);
  const auto equals = [](const ResizeBox& a, const ResizeBox& b) {
    return a.top == b.top && a.left == b.left && a.height == b.height && a.width == b.width;
  };
  CHECK(equals(random_window(64, 64, 1, rng), {0, 0, 64, 64}));
  CHECK(equals(random_window(30, 900, 1, rng), {0, 430, 30, 40}));
  CHECK(equals(random_window(900, 30, 1, rng), {430, 0, 40, 30}));
}

TEST_CASE("the centre window is the crop of the image whose shorter side was resized") {
  const ResizeBox wide = centre_window(375, 500, 256, 224, 224);  // resized to 256 x 341
  CHECK(wide.top == Approx(16 * 375.0 / 256));
  CHECK(wide.height == Approx(224 * 375.0 / 256));
  CHECK(wide.left == Approx(58 * 500.0 / 341));  // 58.5 rounds to the even number
  CHECK(wide.width == Approx(224 * 500.0 / 341));
  const ResizeBox same = centre_window(64, 64, 64, 64, 64);
  CHECK((same.top == 0 && same.left == 0 && same.height == 64 && same.width == 64));
}
