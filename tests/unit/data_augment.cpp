// The counter-based generator against published and independently computed numbers, and crop and
// flip against their formula.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <numeric>

#include "base/counter_rng.h"
#include "data/images/augment.h"
#include "support/catch.h"

using namespace tbn;

TEST_CASE("the generator gives the published SplitMix64 sequence") {
  CounterRng rng(1234567);
  CHECK(rng.next() == 6457827717110365317U);
  CHECK(rng.next() == 3203168211198807973U);
  CHECK(rng.next() == 9817491932198370423U);
  CHECK(rng.next() == 4593380528125082431U);
  CHECK(rng.next() == 16408922859458223821U);
}

TEST_CASE("keyed permutations are those of an implementation in another language") {
  using Order = std::vector<std::int64_t>;
  CHECK(random_permutation(12, CounterRng(1, RngUse::kShuffle, 0)) ==
        Order{7, 0, 5, 3, 6, 2, 10, 1, 9, 8, 4, 11});
  CHECK(random_permutation(12, CounterRng(1, RngUse::kShuffle, 1)) ==
        Order{9, 3, 10, 8, 1, 5, 11, 4, 2, 6, 7, 0});
  CHECK(random_permutation(12, CounterRng(7, RngUse::kSplit)) ==
        Order{1, 10, 6, 8, 2, 3, 5, 0, 9, 4, 11, 7});
}

TEST_CASE("a permutation has every index once") {
  for (const std::int64_t count : {0, 1, 2, 1000}) {
    auto order = random_permutation(count, CounterRng(3));
    std::sort(order.begin(), order.end());
    std::vector<std::int64_t> all(static_cast<std::size_t>(count));
    std::iota(all.begin(), all.end(), 0);
    CHECK(order == all);
  }
}

TEST_CASE("bounded draws are even") {
  constexpr int kDraws = 90000;
  std::array<int, 9> counts{};
  CounterRng rng(11);
  for (int i = 0; i < kDraws; ++i) ++counts[rng.below(9)];
  double chi_square = 0;
  for (const int count : counts) {
    chi_square += (count - kDraws / 9.0) * (count - kDraws / 9.0) / (kDraws / 9.0);
  }
  CHECK(chi_square < 26.12);  // 8 degrees of freedom, one in a thousand
}

TEST_CASE("each position of a shuffle is even over the epochs") {
  constexpr int kEpochs = 7000;
  std::array<int, 7> counts{};
  for (std::uint64_t epoch = 0; epoch < kEpochs; ++epoch) {
    ++counts[static_cast<std::size_t>(
        random_permutation(7, CounterRng(0, RngUse::kShuffle, epoch))[3])];
  }
  double chi_square = 0;
  for (const int count : counts) chi_square += (count - 1000.0) * (count - 1000.0) / 1000.0;
  CHECK(chi_square < 22.46);  // 6 degrees of freedom, one in a thousand
}

TEST_CASE("an augmentation is drawn from seed, epoch and index alone") {
  const AugmentOptions options{.crop_padding = 4, .flip = true};
  const AugmentChoice nine = draw_augment(options, 5, 2, 9);
  CHECK(nine.shift_y == -3);
  CHECK(nine.shift_x == 0);
  CHECK_FALSE(nine.flip);
  const AugmentChoice ten = draw_augment(options, 5, 2, 10);
  CHECK(ten.shift_y == -4);
  CHECK(ten.shift_x == 1);
  CHECK(ten.flip);
}

TEST_CASE("shifts reach both ends of the padding and no further, and half the images flip") {
  std::array<int, 5> seen_y{};
  std::array<int, 5> seen_x{};
  int flips = 0;
  for (std::int64_t index = 0; index < 2000; ++index) {
    const AugmentChoice choice = draw_augment({.crop_padding = 2, .flip = true}, 1, 0, index);
    ++seen_y.at(static_cast<std::size_t>(choice.shift_y + 2));
    ++seen_x.at(static_cast<std::size_t>(choice.shift_x + 2));
    flips += choice.flip;
  }
  for (const int count : seen_y) CHECK(count > 300);
  for (const int count : seen_x) CHECK(count > 300);
  CHECK(std::abs(flips - 1000) < 120);
  const AugmentChoice none = draw_augment({}, 1, 0, 3);
  CHECK((none.shift_y == 0 && none.shift_x == 0 && !none.flip));
}

TEST_CASE("crop and flip equal their formula at every shift") {
  constexpr std::int64_t kChannels = 2, kHeight = 4, kWidth = 5;
  std::vector<std::uint8_t> in(kChannels * kHeight * kWidth);
  std::iota(in.begin(), in.end(), std::uint8_t{1});
  for (int dy = -6; dy <= 6; ++dy) {
    for (int dx = -6; dx <= 6; ++dx) {
      for (const bool flip : {false, true}) {
        std::vector<std::uint8_t> out(in.size(), 255);
        augment_image({.shift_y = dy, .shift_x = dx, .flip = flip}, kChannels, kHeight, kWidth,
                      in.data(), out.data());
        std::vector<std::uint8_t> expected;
        for (std::int64_t c = 0; c < kChannels; ++c) {
          for (std::int64_t y = 0; y < kHeight; ++y) {
            for (std::int64_t x = 0; x < kWidth; ++x) {
              const std::int64_t from_y = y + dy;
              const std::int64_t from_x = (flip ? kWidth - 1 - x : x) + dx;
              const bool inside = from_y >= 0 && from_y < kHeight && from_x >= 0 && from_x < kWidth;
              const auto at = static_cast<std::size_t>((c * kHeight + from_y) * kWidth + from_x);
              expected.push_back(inside ? in[at] : std::uint8_t{0});
            }
          }
        }
        INFO("shift " << dy << ", " << dx << " flip " << flip);
        CHECK(out == expected);
      }
    }
  }
}
