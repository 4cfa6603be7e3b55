// Mixup and CutMix: the beta distribution against its formulas, boxes against their areas, and the
// mixed batch against one that is made from a copy.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

#include "base/counter_rng.h"
#include "data/images/mix.h"
#include "support/catch.h"
#include "tbn/error.h"

using namespace tbn;

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::int64_t kChannels = 3, kHeight = 6, kWidth = 5,
                       kImage = kChannels * kHeight * kWidth;

Bytes random_batch(std::int64_t count) {
  CounterRng rng(99);
  Bytes bytes;
  for (std::int64_t i = 0; i < count * kImage; ++i) {
    bytes.push_back(static_cast<std::uint8_t>(rng.below(256)));
  }
  return bytes;
}

std::vector<double> mixup_weights(double alpha) {
  std::vector<double> weights;
  for (std::int64_t batch = 0; batch < 20000; ++batch) {
    weights.push_back(draw_mix({.mixup = alpha}, 1, 8, 8, 4, 2, batch).weight);
  }
  std::sort(weights.begin(), weights.end());
  return weights;
}

// The largest distance between the distribution of sorted samples and a known one.
template <class F>
double kolmogorov(const std::vector<double>& sorted, F distribution) {
  double worst = 0;
  const auto n = static_cast<double>(sorted.size());
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    worst = std::max(worst, std::abs(distribution(sorted[i]) - (static_cast<double>(i) + 0.5) / n));
  }
  return worst;
}

// From a copy, one pixel after the other.
Bytes mixed(const MixChoice& choice, std::int64_t count, const Bytes& in) {
  Bytes out = in;
  for (std::int64_t i = 0; i < count * kImage; ++i) {
    const std::int64_t y = i / kWidth % kHeight;
    const std::int64_t x = i % kWidth;
    const auto partner = choice.partner[static_cast<std::size_t>(i / kImage)];
    const std::uint8_t other = in[static_cast<std::size_t>(partner * kImage + i % kImage)];
    std::uint8_t& pixel = out[static_cast<std::size_t>(i)];
    const MixBox& box = choice.box;
    const bool inside =
        y >= box.top && y < box.top + box.height && x >= box.left && x < box.left + box.width;
    if (choice.kind == MixKind::kMixup) {
      const double value = choice.weight * pixel + (1 - choice.weight) * other;
      pixel = static_cast<std::uint8_t>(std::floor(value + 0.5));
    } else if (choice.kind == MixKind::kCutmix && inside) {
      pixel = other;
    }
  }
  return out;
}

}  // namespace

TEST_CASE("weights of mixup follow the beta distribution") {
  constexpr double kLimit = 0.0138;  // 1.95 / sqrt(20000): one in a thousand
  CHECK(kolmogorov(mixup_weights(1), [](double x) { return x; }) < kLimit);
  CHECK(kolmogorov(mixup_weights(2), [](double x) { return x * x * (3 - 2 * x); }) < kLimit);
  CHECK(kolmogorov(mixup_weights(0.5), [](double x) {
          return 2 / std::numbers::pi * std::asin(std::sqrt(x));
        }) < kLimit);
  for (const double alpha : {0.1, 0.2, 0.8, 1.5, 8.0}) {
    const auto weights = mixup_weights(alpha);
    double mean = 0;
    double square = 0;
    for (const double w : weights) mean += w / 20000, square += (w - 0.5) * (w - 0.5) / 20000;
    INFO("alpha " << alpha);
    CHECK(std::abs(mean - 0.5) < 0.015);
    CHECK(square == Approx(1 / (4 * (2 * alpha + 1))).epsilon(0.05));
    CHECK((weights.front() >= 0 && weights.back() <= 1));
  }
}

TEST_CASE("a tiny alpha takes one image or the other") {
  const auto weights = mixup_weights(1e-4);
  const auto zeros = std::count(weights.begin(), weights.end(), 0.0);
  const auto ones = std::count(weights.begin(), weights.end(), 1.0);
  CHECK(std::abs(zeros - 10000) < 400);
  CHECK(zeros + ones > 19900);
  CHECK((weights.front() == 0 && weights.back() == 1));
}

TEST_CASE("a choice depends on seed, epoch and batch alone") {
  const MixOptions both{.mixup = 0.2, .cutmix = 1};
  int mixups = 0;
  for (std::int64_t batch = 0; batch < 400; ++batch) {
    const MixChoice a = draw_mix(both, 16, 32, 32, 1, 2, batch);
    const MixChoice b = draw_mix(both, 16, 32, 32, 1, 2, batch);
    CHECK((a.kind == b.kind && a.weight == b.weight && a.partner == b.partner));
    CHECK(a.partner != draw_mix(both, 16, 32, 32, 1, 3, batch).partner);
    mixups += a.kind == MixKind::kMixup;
  }
  CHECK(std::abs(mixups - 200) < 50);
  CHECK(draw_mix({.mixup = 1}, 4, 8, 8, 1, 2, 3).kind == MixKind::kMixup);
  CHECK(draw_mix({.cutmix = 1}, 4, 8, 8, 1, 2, 3).kind == MixKind::kCutmix);
  CHECK(draw_mix({}, 4, 8, 8, 1, 2, 3).kind == MixKind::kNone);
}

TEST_CASE("a cutmix box lies in the image and its weight is the area that stays") {
  double mean = 0;
  bool clipped = false;
  for (std::int64_t batch = 0; batch < 4000; ++batch) {
    const MixChoice choice = draw_mix({.cutmix = 1}, 2, 20, 30, 0, 0, batch);
    const MixBox& box = choice.box;
    REQUIRE((box.top >= 0 && box.left >= 0 && box.height >= 0 && box.width >= 0));
    REQUIRE((box.top + box.height <= 20 && box.left + box.width <= 30));
    REQUIRE(choice.weight == 1 - static_cast<double>(box.height * box.width) / 600);
    clipped = clipped || (box.top == 0 && box.height > 0);
    mean += choice.weight / 4000;
  }
  CHECK(clipped);
  CHECK(mean > 0.55);  // clipping lets more of an image stay than the half that is drawn
  CHECK(mean < 0.75);
}

TEST_CASE("a batch is mixed as if from a copy, whatever the partners") {
  const Bytes in = random_batch(7);
  int changed = 0;
  for (std::int64_t batch = 0; batch < 60; ++batch) {
    MixChoice choice = draw_mix({.mixup = 1, .cutmix = 1}, 7, kHeight, kWidth, 3, 1, batch);
    Bytes out = in;
    mix_batch(choice, 7, kChannels, kHeight, kWidth, out.data());
    CHECK(out == mixed(choice, 7, in));
    changed += out != in;
  }
  CHECK(changed > 50);
  MixChoice choice{.kind = MixKind::kMixup, .weight = 0.25};
  for (const std::vector<std::int64_t>& partner : {std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6},
                                                   {1, 2, 3, 4, 5, 6, 0},
                                                   {6, 5, 4, 3, 2, 1, 0},
                                                   {1, 0, 3, 2, 4, 6, 5}}) {
    choice.partner = partner;
    Bytes out = in;
    mix_batch(choice, 7, kChannels, kHeight, kWidth, out.data());
    CHECK(out == mixed(choice, 7, in));
  }
}

TEST_CASE("a batch that is not mixed stays, and partners must be a permutation") {
  const Bytes in = random_batch(2);
  Bytes out = in;
  mix_batch({}, 2, kChannels, kHeight, kWidth, out.data());
  CHECK(out == in);
  for (const std::vector<std::int64_t>& bad :
       {std::vector<std::int64_t>{0}, {0, 0}, {0, 2}, {-1, 0}, {0, 1, 2}}) {
    const MixChoice choice{.kind = MixKind::kMixup, .weight = 0.5, .partner = bad};
    CHECK_THROWS_AS(mix_batch(choice, 2, kChannels, kHeight, kWidth, out.data()), InternalError);
  }
  CHECK(out == in);
}
