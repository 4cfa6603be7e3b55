// How weight tensors are cut into tiles.
#include "support/catch.h"
#include "support/errors.h"
#include "tbn/error.h"
#include "tbn/tile.h"

using namespace tbn;
using tbn::test::message_of;

TEST_CASE("p that divides the outputs gives whole rows") {
  const TileLayout layout = tile_layout(128, 784, 4);
  CHECK(layout.form == TileForm::kRows);
  CHECK(layout.q == 25088);
  CHECK(layout.rows() == 32);
  CHECK(layout.row_bits() == 784);
  CHECK(layout.row_bytes() == 98);
  CHECK(layout.packed_bytes() == 3136);
}

TEST_CASE("p that divides the weights only gives one flat row") {
  const TileLayout layout = tile_layout(10, 42, 4);
  CHECK(layout.form == TileForm::kFlat);
  CHECK(layout.q == 105);
  CHECK(layout.rows() == 1);
  CHECK(layout.packed_bytes() == 14);
}

TEST_CASE("rows start on a byte, so a row of 9 bits takes two") {
  CHECK(tile_layout(6, 9, 2).packed_bytes() == 6);
}

TEST_CASE("p that divides neither is an error with the nearest factors") {
  CHECK(message_of<ConfigError>([] { tile_layout(10, 9, 4, "conv2d 'a.b'"); }) ==
        "conv2d 'a.b': p = 4 divides neither its 10 outputs nor its 90 weights; the nearest "
        "factors that work are 3 and 5");
  CHECK(message_of<ConfigError>([] { tile_layout(2, 3, 7, "linear 'fc'"); }) ==
        "linear 'fc': p = 7 divides neither its 2 outputs nor its 6 weights; the nearest factors "
        "that work are 6 at most");
}

TEST_CASE("rows can be interleaved only where there are whole ones") {
  CHECK(message_of<ConfigError>(
            [] { tile_layout(10, 42, 4, "linear 'fc'", TileOrder::kInterleave); }) ==
        "linear 'fc': rows are interleaved where p divides the outputs; p = 4 does not divide 10");
}

TEST_CASE("p below 1 is an error") {
  CHECK(message_of<ConfigError>([] { tile_layout(8, 8, 0, "linear 'fc'"); }) ==
        "linear 'fc': compression factor p must be at least 1, is 0");
}
