// Aggregation, scalars and bits against formulas written out by hand.
#include <random>

#include "support/catch.h"
#include "tbn/tile.h"

using namespace tbn;

namespace {

std::vector<double> random_values(std::size_t count, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values(count);
  for (double& v : values) v = normal(engine);
  return values;
}

}  // namespace

TEST_CASE("aggregate sums the p slices") {
  const TileLayout layout = tile_layout(4, 3, 2);
  const std::vector<double> w = {1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60};
  CHECK(aggregate<double>(layout, w) == std::vector<double>{11, 22, 33, 44, 55, 66});
}

TEST_CASE("interleaved, p neighbours share a row and the slices take turns") {
  const TileLayout layout = tile_layout(4, 2, 2, "layer", TileOrder::kInterleave);
  const std::vector<double> w = {1, 2, 10, 20, 100, 200, 1000, 2000};
  CHECK(aggregate<double>(layout, w) == std::vector<double>{11, 22, 1100, 2200});
  CHECK(mean_magnitudes<double>(layout, AlphaScope::kTile, w) == std::vector<double>{75.75, 757.5});
  const std::vector<float> a = {2, 3};
  const std::vector<double> s = {1, -1, -1, 1};
  CHECK(expand_weights(layout, pack_tile<double>(layout, s), a) ==
        std::vector<float>{2, -2, 3, -3, -2, 2, -3, 3});
}

TEST_CASE("mean_magnitudes gives one scalar per slice, one per layer or one per output") {
  const TileLayout layout = tile_layout(4, 1, 2);
  const std::vector<double> a = {1, -3, -10, 20};
  CHECK(mean_magnitudes<double>(layout, AlphaScope::kTile, a) == std::vector<double>{2, 15});
  CHECK(mean_magnitudes<double>(layout, AlphaScope::kLayer, a) == std::vector<double>{8.5});
  CHECK(mean_magnitudes<double>(layout, AlphaScope::kOutput, a) ==
        std::vector<double>{1, 3, 10, 20});
}

TEST_CASE("zero is not above zero: its bit is 0 and its sign -1") {
  const TileLayout layout = tile_layout(1, 3, 1);
  const std::vector<float> s = {0.0f, -0.0f, 1e-30f};
  CHECK(pack_tile<float>(layout, s) == std::vector<std::uint8_t>{0b100});
  CHECK(unpack_tile(layout, pack_tile<float>(layout, s)) == std::vector<float>{-1, -1, 1});
}

TEST_CASE("pack_tile puts bit i of byte j at weight 8j + i of its row") {
  const TileLayout layout = tile_layout(4, 10, 2);
  std::vector<double> s(20, -1.0);
  s[0] = s[9] = 1;    // row 0: weights 0 and 9
  s[13] = s[18] = 1;  // row 1: weights 3 and 8
  CHECK(pack_tile<double>(layout, s) == std::vector<std::uint8_t>{0x01, 0x02, 0x08, 0x01});
}

TEST_CASE("pack_tile keeps bit order across byte and word boundaries") {
  for (std::int64_t m : {1, 7, 8, 9, 31, 33, 63, 65, 129}) {
    for (std::int64_t p : {1, 2, 3}) {
      const TileLayout layout = tile_layout(6, m, p);
      const auto s = random_values(static_cast<std::size_t>(layout.q), 7);
      const auto packed = pack_tile<double>(layout, s);
      const auto signs = unpack_tile(layout, packed);
      for (std::size_t k = 0; k < s.size(); ++k) REQUIRE(signs[k] == (s[k] > 0 ? 1.0f : -1.0f));
      // Independent of place_of: bytes read as rows.
      for (std::int64_t r = 0; r < layout.rows(); ++r) {
        const std::uint8_t last =
            packed[static_cast<std::size_t>((r + 1) * layout.row_bytes() - 1)];
        if (m % 8 != 0 && layout.form == TileForm::kRows) REQUIRE((last >> (m % 8)) == 0);
      }
    }
  }
}

TEST_CASE("expand_weights repeats the tile, scaled slice by slice, in both forms") {
  for (std::int64_t n : {6, 5}) {  // p = 3 divides 6 outputs; of 5 x 9 it divides the weights only
    const TileLayout layout = tile_layout(n, 9, 3);
    const auto w = random_values(static_cast<std::size_t>(layout.weights()), 3);
    const auto s = aggregate<double>(layout, w);
    const std::vector<float> alphas = {0.5f, -2.0f, 3.0f};
    const auto expanded = expand_weights(layout, pack_tile<double>(layout, s), alphas);
    for (std::int64_t k = 0; k < layout.weights(); ++k) {
      double sum = 0;
      for (std::int64_t i = 0; i < 3; ++i) {
        sum += w[static_cast<std::size_t>(i * layout.q + k % layout.q)];
      }
      const float alpha = alphas[static_cast<std::size_t>(k / layout.q)];
      REQUIRE(expanded[static_cast<std::size_t>(k)] == (sum > 0 ? alpha : -alpha));
    }
  }
}
