// RandAugment's operations against Pillow and their definitions, its draws, and cutout.
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <map>
#include <vector>

#include "data/images/augment.h"
#include "data/images/randaugment.h"
#include "support/catch.h"
#include "tbn/error.h"

using namespace tbn;

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::int64_t kHeight = 26, kWidth = 32;

// Values of 30 .. 219, so that there is contrast to gain.
Bytes picture(std::int64_t channels) {
  Bytes bytes;
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t y = 0; y < kHeight; ++y) {
      for (std::int64_t x = 0; x < kWidth; ++x) {
        bytes.push_back(
            static_cast<std::uint8_t>(30 + (37 * y + 11 * x + 91 * c + x * y * y * 5) % 190));
      }
    }
  }
  return bytes;
}

Bytes applied(ImageOp op, double strength, std::int64_t channels) {
  Bytes bytes = picture(channels);
  apply_op(op, strength, {channels, kHeight, kWidth, bytes.data()});
  return bytes;
}

std::uint32_t checksum(const Bytes& bytes) {
  return static_cast<std::uint32_t>(crc32(0, bytes.data(), static_cast<unsigned>(bytes.size())));
}

std::size_t at(std::int64_t c, std::int64_t y, std::int64_t x) {
  return static_cast<std::size_t>((c * kHeight + y) * kWidth + x);
}

}  // namespace

TEST_CASE("the operations do to the bytes what Pillow does") {
  struct Known {
    ImageOp op;
    double strength;
    std::uint32_t color, grey;  // CRC-32 of Pillow 13.0.0's result for 3 channels and for 1
  };
  const std::vector<Known> all = {{ImageOp::kShearX, 0.3, 0x9a6dcc5e, 0x5e4ed583},
                                  {ImageOp::kShearX, -0.13, 0x4970104a, 0xcc9d39c6},
                                  {ImageOp::kShearY, 0.21, 0xf1e50f56, 0x244c96a4},
                                  {ImageOp::kShearY, -0.3, 0x1f5b3b73, 0xa3b7a770},
                                  {ImageOp::kTranslateX, 7, 0x16e90e2c, 0xb4520d05},
                                  {ImageOp::kTranslateX, -2, 0xf5a50924, 0xd73eb56b},
                                  {ImageOp::kTranslateY, 3, 0x81a02086, 0xc07a7c22},
                                  {ImageOp::kTranslateY, -5, 0x30f9aa18, 0xa1a88944},
                                  {ImageOp::kBrightness, 0.9, 0x0d3152d2, 0x4ff02044},
                                  {ImageOp::kBrightness, -0.9, 0xa43d0655, 0x7beda70e},
                                  {ImageOp::kBrightness, 0.27, 0x3b45aa6d, 0xf4bbf6b1},
                                  {ImageOp::kColor, 0.9, 0x26d66617, 0x0ac61b3d},
                                  {ImageOp::kColor, -0.9, 0xb51b12e7, 0x0ac61b3d},
                                  {ImageOp::kColor, 0.27, 0x307d3dd1, 0x0ac61b3d},
                                  {ImageOp::kContrast, 0.9, 0xe2a8ad64, 0xb4ea5c18},
                                  {ImageOp::kContrast, -0.9, 0x7021dc5b, 0xdf542f90},
                                  {ImageOp::kContrast, 0.27, 0x87284f9c, 0xad522e11},
                                  {ImageOp::kSharpness, 0.9, 0x3a445eac, 0xe4f2aa89},
                                  {ImageOp::kSharpness, -0.9, 0x53c1af74, 0x411942ea},
                                  {ImageOp::kSharpness, 0.27, 0x0e88413e, 0xf5db7882},
                                  {ImageOp::kPosterize, 4, 0x0afa1f90, 0x6b1fe23e},
                                  {ImageOp::kPosterize, 6, 0xa366e04c, 0x83ed85e7},
                                  {ImageOp::kSolarize, 0, 0x6f04644a, 0xcdcfc566},
                                  {ImageOp::kSolarize, 255, 0x30369986, 0x0ac61b3d},
                                  {ImageOp::kSolarize, 178.5, 0x5a3f09c0, 0xf5ea954a},
                                  {ImageOp::kAutocontrast, 0, 0x7cdfb827, 0x55775ff8},
                                  {ImageOp::kEqualize, 0, 0xa7b1d2e5, 0x23c3fef1}};
  for (const Known& known : all) {
    INFO("operation " << static_cast<int>(known.op) << " strength " << known.strength);
    CHECK(checksum(applied(known.op, known.strength, 3)) == known.color);
    CHECK(checksum(applied(known.op, known.strength, 1)) == known.grey);
  }
}

TEST_CASE("a rotation turns counterclockwise about the centre") {
  // By 90 degrees a square image turns without loss: the top right corner goes to the top left.
  constexpr std::int64_t kSide = 5;
  Bytes square;
  for (int i = 0; i < 25; ++i) square.push_back(static_cast<std::uint8_t>(i + 1));
  const Bytes before = square;
  apply_op(ImageOp::kRotate, 90, {1, kSide, kSide, square.data()});
  int wrong = 0;
  for (std::int64_t y = 0; y < kSide; ++y) {
    for (std::int64_t x = 0; x < kSide; ++x) {
      wrong += square[static_cast<std::size_t>(y * kSide + x)] !=
               before[static_cast<std::size_t>(x * kSide + kSide - 1 - y)];
    }
  }
  CHECK(wrong == 0);
  const Bytes turned = applied(ImageOp::kRotate, 20, 1);
  CHECK(turned[at(0, 0, 0)] == 0);  // nothing to bring in
  CHECK(turned[at(0, 13, 16)] == picture(1)[at(0, 13, 16)]);
}

TEST_CASE("operations leave flat and tiny images whole") {
  for (int op = 0; op < kImageOps; ++op) {
    for (const std::int64_t side : {1, 2}) {
      Bytes bytes(static_cast<std::size_t>(3 * side * side), 90);
      apply_op(static_cast<ImageOp>(op), op == 10 ? 4 : 0.3, {3, side, side, bytes.data()});
      const bool levels = op == 6 || op == 10 || op == 11;  // those that change the colour itself
      CHECK((levels || bytes == Bytes(bytes.size(), 90)));
    }
  }
}

TEST_CASE("magnitudes mean what torchvision's table says") {
  const auto strength = [](ImageOp op, int magnitude) {
    return op_strength(op, magnitude, 224, 331);
  };
  CHECK(strength(ImageOp::kShearX, 30) == Approx(0.3));
  CHECK(strength(ImageOp::kShearY, 9) == Approx(0.09));
  CHECK(strength(ImageOp::kTranslateX, 30) == 150);
  CHECK(strength(ImageOp::kTranslateY, 9) == 30);  // of 30.45
  CHECK(strength(ImageOp::kRotate, 9) == Approx(9));
  CHECK(strength(ImageOp::kContrast, 10) == Approx(0.3));
  CHECK(strength(ImageOp::kPosterize, 0) == 8);
  CHECK(strength(ImageOp::kPosterize, 9) == 7);
  CHECK(strength(ImageOp::kPosterize, 30) == 4);
  CHECK(strength(ImageOp::kSolarize, 0) == 255);
  CHECK(strength(ImageOp::kSolarize, 30) == 0);
  CHECK(strength(ImageOp::kEqualize, 30) == 0);
  int directed = 0;
  for (int op = 0; op < kImageOps; ++op) directed += op_has_direction(static_cast<ImageOp>(op));
  CHECK(directed == 9);
}

TEST_CASE("each operation is drawn as often, in both directions, and the draws repeat") {
  // Each outcome of one operation is known by its checksum.
  std::map<std::uint32_t, int> seen;
  CounterRng rng(7);
  constexpr int kDraws = 14000;
  for (int i = 0; i < kDraws; ++i) {
    Bytes bytes = picture(3);
    rand_augment(1, 30, rng, {3, kHeight, kWidth, bytes.data()});
    ++seen[checksum(bytes)];
  }
  CHECK(seen.size() == 23);  // 9 operations with two directions, 5 without
  for (int op = 0; op < kImageOps; ++op) {
    const auto kind = static_cast<ImageOp>(op);
    const double strength = op_strength(kind, 30, kHeight, kWidth);
    const int plus = seen[checksum(applied(kind, strength, 3))];
    if (!op_has_direction(kind)) {
      CHECK(std::abs(plus - 1000) < 130);
      continue;
    }
    CHECK(std::abs(plus - 500) < 100);
    CHECK(std::abs(seen[checksum(applied(kind, -strength, 3))] - 500) < 100);
  }
}

TEST_CASE("RandAugment and cutout leave the draws of crop and flip as they are") {
  const Bytes in = picture(3);
  AugmentOptions options{.crop_padding = 3, .flip = true};
  for (std::int64_t index = 0; index < 20; ++index) {
    Bytes expected(in.size());
    augment_image(draw_augment(options, 5, 2, index), 3, kHeight, kWidth, in.data(),
                  expected.data());
    Bytes out(in.size());
    augment_image(options, 5, 2, index, 3, kHeight, kWidth, in.data(), out.data());
    CHECK(out == expected);
    AugmentOptions more = options;
    more.cutout = 4;
    augment_image(more, 5, 2, index, 3, kHeight, kWidth, in.data(), out.data());
    std::size_t changed = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (out[i] == expected[i]) continue;
      ++changed;
      CHECK(out[i] == 128);
    }
    CHECK(changed > 0);
    CHECK(changed <= 3 * 16);
  }
}

TEST_CASE("a cutout is a grey square around any pixel, clipped at the border") {
  const Bytes in(3 * kHeight * kWidth, 7);
  std::map<std::size_t, int> sizes;
  for (std::int64_t index = 0; index < 3000; ++index) {
    Bytes out(in.size());
    augment_image({.cutout = 5}, 1, 0, index, 3, kHeight, kWidth, in.data(), out.data());
    std::int64_t top = kHeight, bottom = 0, left = kWidth, right = 0, count = 0;
    for (std::int64_t y = 0; y < kHeight; ++y) {
      for (std::int64_t x = 0; x < kWidth; ++x) {
        if (out[at(0, y, x)] != 128) continue;
        ++count;
        top = std::min(top, y), bottom = std::max(bottom, y + 1);
        left = std::min(left, x), right = std::max(right, x + 1);
      }
    }
    REQUIRE(count == (bottom - top) * (right - left));
    const auto square = std::count(out.begin(), out.end(), 128);
    REQUIRE(square == 3 * count);
    REQUIRE(std::count(out.begin(), out.end(), 7) + square == std::ssize(out));
    REQUIRE((bottom - top == 5 || top == 0 || bottom == kHeight));
    REQUIRE((right - left == 5 || left == 0 || right == kWidth));
    ++sizes[static_cast<std::size_t>(count)];
  }
  CHECK(sizes.begin()->first == 9);  // the centre in a corner: 3 of 5 on each side
  CHECK(sizes.rbegin()->first == 25);
  // 22 of 26 rows and 28 of 32 columns hold the whole square.
  CHECK(std::abs(sizes[25] / 3000.0 - 22.0 * 28 / (26 * 32)) < 0.04);
}

TEST_CASE("a magnitude off the scale is refused") {
  Bytes bytes = picture(1);
  CounterRng rng(1);
  CHECK_THROWS_AS(rand_augment(1, 31, rng, {1, kHeight, kWidth, bytes.data()}), InternalError);
  CHECK_THROWS_AS(rand_augment(1, -1, rng, {1, kHeight, kWidth, bytes.data()}), InternalError);
}
