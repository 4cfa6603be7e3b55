// Two passes, columns first, over tables of fixed-point weights. The first leaves its rows channel
// after channel, so that the second runs along contiguous bytes.
#include "prepare/resize.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "tbn/error.h"

namespace tbn {
namespace {

constexpr std::int64_t kChannels = 3;
constexpr int kFractionBits = 22;  // weights sum to 2^22, so that 255 of them fit 32 bits
constexpr std::int32_t kHalf = std::int32_t{1} << (kFractionBits - 1);

// Which pixels along one axis make an output pixel, and their weights.
struct Taps {
  std::int64_t first = 0;
  std::vector<std::int32_t> weights;
};

std::vector<Taps> make_taps(double start, double length, std::int64_t low, std::int64_t high,
                            std::int64_t count) {
  const double step = length / static_cast<double>(count);
  const double support = std::max(step, 1.0);  // half of the triangle's base
  std::vector<Taps> all(static_cast<std::size_t>(count));
  std::vector<double> weights;
  for (std::int64_t i = 0; i < count; ++i) {
    const double centre = start + (static_cast<double>(i) + 0.5) * step;
    const auto round = [](double x) { return static_cast<std::int64_t>(std::floor(x + 0.5)); };
    const std::int64_t first = std::clamp(round(centre - support), low, high - 1);
    const std::int64_t last = std::clamp(round(centre + support), first + 1, high);
    weights.clear();
    double sum = 0;
    for (std::int64_t k = first; k < last; ++k) {
      const double distance = std::abs(static_cast<double>(k) + 0.5 - centre) / support;
      weights.push_back(std::max(0.0, 1.0 - distance));
      sum += weights.back();
    }
    Taps& taps = all[static_cast<std::size_t>(i)];
    taps.first = first;
    for (const double weight : weights) {
      taps.weights.push_back(
          static_cast<std::int32_t>(weight / sum * (std::int32_t{1} << kFractionBits) + 0.5));
    }
  }
  return all;
}

// Rounding can carry a sum past the ends by one.
std::uint8_t to_byte(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
}

// `row` is [columns, 3], `out` [3, taps].
void shrink_row(const std::uint8_t* row, const std::vector<Taps>& taps, std::uint8_t* out) {
  const std::size_t width = taps.size();
  for (std::size_t x = 0; x < width; ++x) {
    const std::uint8_t* from = row + kChannels * taps[x].first;
    std::int32_t red = kHalf;
    std::int32_t green = kHalf;
    std::int32_t blue = kHalf;
    for (const std::int32_t weight : taps[x].weights) {
      red += weight * from[0];
      green += weight * from[1];
      blue += weight * from[2];
      from += kChannels;
    }
    out[x] = to_byte(red);
    out[width + x] = to_byte(green);
    out[2 * width + x] = to_byte(blue);
  }
}

void check_box(const ResizeBounds& bounds, const ResizeBox& box) {
  constexpr double kSlack = 1e-6;
  const bool inside = box.top >= static_cast<double>(bounds.top) - kSlack &&
                      box.left >= static_cast<double>(bounds.left) - kSlack &&
                      box.top + box.height <= static_cast<double>(bounds.bottom) + kSlack &&
                      box.left + box.width <= static_cast<double>(bounds.right) + kSlack;
  TBN_CHECK(inside && box.height > 0 && box.width > 0, "resize_to_planes: the box is not inside");
}

}  // namespace

ResizeBounds touched_by(const ResizeBox& box, std::int64_t height, std::int64_t width) {
  const auto below = [](double x) { return static_cast<std::int64_t>(std::floor(x)); };
  const auto above = [](double x) { return static_cast<std::int64_t>(std::ceil(x)); };
  return {.top = std::clamp<std::int64_t>(below(box.top), 0, height - 1),
          .left = std::clamp<std::int64_t>(below(box.left), 0, width - 1),
          .bottom = std::clamp<std::int64_t>(above(box.top + box.height), 1, height),
          .right = std::clamp<std::int64_t>(above(box.left + box.width), 1, width)};
}

void resize_to_planes(const std::uint8_t* in, std::int64_t columns, const ResizeBounds& bounds,
                      const ResizeBox& box, std::int64_t out_height, std::int64_t out_width,
                      std::uint8_t* out) {
  check_box(bounds, box);
  const auto across = make_taps(box.left, box.width, bounds.left, bounds.right, out_width);
  const auto down = make_taps(box.top, box.height, bounds.top, bounds.bottom, out_height);
  const std::int64_t first = down.front().first;
  const std::int64_t last =
      down.back().first + static_cast<std::int64_t>(down.back().weights.size());
  const std::int64_t stride = kChannels * out_width;
  std::vector<std::uint8_t> rows(static_cast<std::size_t>((last - first) * stride));
  for (std::int64_t y = first; y < last; ++y) {
    shrink_row(in + y * columns * kChannels, across, rows.data() + (y - first) * stride);
  }
  std::vector<std::int32_t> sums(static_cast<std::size_t>(stride));
  for (std::int64_t y = 0; y < out_height; ++y) {
    const Taps& taps = down[static_cast<std::size_t>(y)];
    std::fill(sums.begin(), sums.end(), kHalf);
    const std::uint8_t* from = rows.data() + (taps.first - first) * stride;
    for (const std::int32_t weight : taps.weights) {
      for (std::int64_t x = 0; x < stride; ++x)
        sums[static_cast<std::size_t>(x)] += weight * from[x];
      from += stride;
    }
    for (std::int64_t c = 0; c < kChannels; ++c) {
      const std::int32_t* sum = sums.data() + c * out_width;
      std::uint8_t* to = out + (c * out_height + y) * out_width;
      for (std::int64_t x = 0; x < out_width; ++x) to[x] = to_byte(sum[x]);
    }
  }
}

}  // namespace tbn
