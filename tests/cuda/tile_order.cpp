// The order of a tile's bits on the device.
#include <set>
#include <utility>

#include "runtime/cuda/layer/tile_order.h"
#include "support/catch.h"

using namespace tbn::cuda;

TEST_CASE("every weight of a tile has a bit of its own, and the tile has no other words") {
  const int rows = 35, blocks = 3;
  std::set<std::pair<std::int64_t, int>> seen;
  for (int r = 0; r < rows; ++r) {
    for (int k = 0; k < blocks * kBlockInputs; ++k) {
      const BitPlace place = bit_place(r, k, blocks);
      REQUIRE(place.word < tile_words(rows, blocks));
      REQUIRE((place.bit >= 0 && place.bit < 32));
      REQUIRE(seen.emplace(place.word, place.bit).second);
    }
  }
}

TEST_CASE("a lane finds the fragments of a product m16n8k16 in its own four words") {
  // Registers 0..3 of operand A hold rows g, g + 8, g, g + 8 and inputs 2t, 2t, 2t + 8, 2t + 8 and
  // the next (PTX, Matrix fragments for mma.m16n8k16).
  for (int lane = 0; lane < 32; ++lane) {
    const int g = lane / 4, t = lane % 4;
    for (int step = 0; step < 16; ++step) {
      for (int reg = 0; reg < 4; ++reg) {
        for (int half = 0; half < 2; ++half) {
          const int row = g + 8 * (reg % 2);
          const int k = 16 * step + 2 * t + 8 * (reg / 2) + half;
          const BitPlace place = bit_place(row, k, 1);
          CHECK(place.word == lane * 4 + step / 8 * 2 + reg % 2);
          CHECK(place.bit == step % 8 * 2 + reg / 2 + 16 * half);
        }
      }
    }
  }
}
