// Draws from the symmetric beta distribution, and mixing along the cycles of the partners.
#include "data/images/mix.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>

#include "base/counter_rng.h"
#include "tbn/error.h"

namespace tbn {
namespace {

constexpr double kWeightSteps = 65536;

// Uniform in (0, 1).
double uniform(CounterRng& rng) { return (static_cast<double>(rng.next() >> 12) + 0.5) * 0x1p-52; }

// Beta(alpha, alpha). Above 1 Ulrich's formula (Devroye, "Non-uniform random variate generation",
// IX.3.2); up to 1 Joehnk's rejection, in logarithms because powers of 1 / alpha underflow.
double symmetric_beta(double alpha, CounterRng& rng) {
  if (alpha > 1) {
    const double radius = 1 - std::pow(uniform(rng), 2 / (2 * alpha - 1));
    return 0.5 + 0.5 * std::sqrt(radius) * std::cos(2 * std::numbers::pi * uniform(rng));
  }
  for (;;) {
    const double x = std::log(uniform(rng)) / alpha;
    const double y = std::log(uniform(rng)) / alpha;
    if (std::exp(x) + std::exp(y) <= 1) return 1 / (1 + std::exp(y - x));
  }
}

// The centre is any pixel; the box is clipped, and what is left of it is its share.
MixBox draw_box(double share, std::int64_t height, std::int64_t width, CounterRng& rng) {
  const double side = std::sqrt(share);
  const auto rows = static_cast<std::int64_t>(static_cast<double>(height) * side);
  const auto columns = static_cast<std::int64_t>(static_cast<double>(width) * side);
  const std::int64_t top = rng.below(static_cast<std::uint32_t>(height)) - rows / 2;
  const std::int64_t left = rng.below(static_cast<std::uint32_t>(width)) - columns / 2;
  MixBox box{.top = std::max<std::int64_t>(top, 0), .left = std::max<std::int64_t>(left, 0)};
  box.height = std::min(top + rows, height) - box.top;
  box.width = std::min(left + columns, width) - box.left;
  return box;
}

// Mixes one image of [channels, height, width] with its partner.
class Mixer {
 public:
  Mixer(const MixChoice& choice, std::int64_t channels, std::int64_t height, std::int64_t width)
      : choice_(choice), channels_(channels), height_(height), width_(width) {}

  std::int64_t image_bytes() const { return channels_ * height_ * width_; }

  void mix(std::uint8_t* image, const std::uint8_t* partner) const {
    choice_.kind == MixKind::kMixup ? blend(image, partner) : paste(image, partner);
  }

 private:
  void blend(std::uint8_t* image, const std::uint8_t* partner) const {
    const auto own = static_cast<std::uint32_t>(std::lround(choice_.weight * kWeightSteps));
    const std::uint32_t other = static_cast<std::uint32_t>(kWeightSteps) - own;
    for (std::int64_t i = 0; i < image_bytes(); ++i) {
      image[i] = static_cast<std::uint8_t>((own * image[i] + other * partner[i] + 32768U) >> 16);
    }
  }

  void paste(std::uint8_t* image, const std::uint8_t* partner) const {
    const MixBox& box = choice_.box;
    for (std::int64_t c = 0; c < channels_; ++c) {
      for (std::int64_t y = box.top; y < box.top + box.height; ++y) {
        const std::int64_t at = (c * height_ + y) * width_ + box.left;
        std::copy_n(partner + at, box.width, image + at);
      }
    }
  }

  const MixChoice& choice_;
  std::int64_t channels_;
  std::int64_t height_;
  std::int64_t width_;
};

void check_permutation(std::span<const std::int64_t> partner, std::int64_t count) {
  std::vector<bool> seen(static_cast<std::size_t>(count));
  bool whole = static_cast<std::int64_t>(partner.size()) == count;
  for (const std::int64_t p : partner) {
    whole = whole && p >= 0 && p < count && !seen[static_cast<std::size_t>(p)];
    if (whole) seen[static_cast<std::size_t>(p)] = true;
  }
  TBN_CHECK(whole, "mix_batch: the partners are no permutation of the batch");
}

}  // namespace

MixChoice draw_mix(const MixOptions& options, std::int64_t count, std::int64_t height,
                   std::int64_t width, std::uint64_t seed, std::int64_t epoch, std::int64_t batch) {
  MixChoice choice;
  if (!options.any() || count == 0) return choice;
  CounterRng rng(seed, RngUse::kMix, static_cast<std::uint64_t>(epoch),
                 static_cast<std::uint64_t>(batch));
  const bool both = options.mixup > 0 && options.cutmix > 0;
  const bool blend = both ? rng.coin() : options.mixup > 0;
  choice.kind = blend ? MixKind::kMixup : MixKind::kCutmix;
  const double drawn = symmetric_beta(blend ? options.mixup : options.cutmix, rng);
  choice.weight = std::round(drawn * kWeightSteps) / kWeightSteps;
  if (!blend) {
    choice.box = draw_box(1 - choice.weight, height, width, rng);
    choice.weight = 1 - static_cast<double>(choice.box.height * choice.box.width) /
                            static_cast<double>(height * width);
  }
  choice.partner = random_permutation(count, rng);
  return choice;
}

void mix_batch(const MixChoice& choice, std::int64_t count, std::int64_t channels,
               std::int64_t height, std::int64_t width, std::uint8_t* pixels) {
  if (choice.kind == MixKind::kNone) return;
  check_permutation(choice.partner, count);
  const Mixer mixer(choice, channels, height, width);
  const std::int64_t bytes = mixer.image_bytes();
  std::vector<std::uint8_t> first(static_cast<std::size_t>(bytes));
  std::vector<bool> done(static_cast<std::size_t>(count));
  // Along a cycle of partners each image is mixed with one that is still as it was; only the last
  // one's partner, where the cycle began, has changed already.
  for (std::int64_t start = 0; start < count; ++start) {
    if (done[static_cast<std::size_t>(start)]) continue;
    std::copy_n(pixels + start * bytes, bytes, first.begin());
    for (std::int64_t i = start; !done[static_cast<std::size_t>(i)];) {
      done[static_cast<std::size_t>(i)] = true;
      const std::int64_t next = choice.partner[static_cast<std::size_t>(i)];
      mixer.mix(pixels + i * bytes, next == start ? first.data() : pixels + next * bytes);
      i = next;
    }
  }
}

}  // namespace tbn
