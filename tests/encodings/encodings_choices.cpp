// What a search may give a layer, over every encoding: forms of the same kind that the layer can
// have.
#include <algorithm>

#include "encodings/encoding.h"
#include "graph/node_rows.h"
#include "search/space.h"
#include "support/catch.h"
#include "support/encoding_cases.h"

using namespace tbn;

namespace {

LayerDims dims(std::int64_t outputs, std::int64_t inputs) {
  return {.outputs = outputs,
          .inputs = inputs,
          .groups = 1,
          .weight = {outputs, inputs},
          .where = "linear 'fc'"};
}

std::vector<std::int64_t> settings_of(const std::vector<WeightEncoding>& choices) {
  std::vector<std::int64_t> values;
  for (const WeightEncoding& choice : choices) values.push_back(main_setting(choice));
  return values;
}

using Numbers = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("every choice is of the layer's own encoding and fits it, in every encoding") {
  for (const test::EncodingCase& c : test::encoding_cases()) {
    CAPTURE(c.text);
    const Encoding& room = encoding_of(c.weights);
    for (const std::int64_t outputs : {1, 7, 12, 64}) {
      const LayerDims layer = dims(outputs, 15);
      const std::vector<WeightEncoding> choices = room.choices(c.weights, layer, {});
      REQUIRE(!choices.empty());
      for (std::size_t i = 0; i < choices.size(); ++i) {
        CHECK(&encoding_of(choices[i]) == &room);
        CHECK(!room.contradiction(choices[i]));
        if (choices[i] != c.weights) CHECK_NOTHROW(room.check(choices[i], layer));
        CHECK(std::ranges::count(choices, choices[i]) == 1);
      }
    }
  }
}

TEST_CASE("a float layer has no choice") {
  CHECK(encoding_of(FloatWeights{}).choices(FloatWeights{}, dims(64, 8), {}) ==
        std::vector<WeightEncoding>{FloatWeights{}});
}

TEST_CASE("tiled layers choose among p in whole rows, four at least, never flat") {
  const auto factors = [](std::int64_t outputs, const ChoiceLimits& limits) {
    return settings_of(encoding_of(tiled(2)).choices(tiled(2), dims(outputs, 98), limits));
  };
  CHECK(factors(64, {}) == Numbers{1, 2, 4, 8, 16});
  CHECK(factors(16, {}) == Numbers{1, 2, 4});
  CHECK(factors(12, {}) == Numbers{1, 2});
  CHECK(factors(10, {}) == Numbers{1, 2});
  CHECK(factors(10, {.least_rows = 1}) == Numbers{1, 2});  // 4 divides 10 * 98, but not 10
  CHECK(factors(3, {}) == Numbers{2});                     // as it is
}

TEST_CASE("a larger p whose scalars outweigh what it saves is no choice") {
  // 576 weights: 608, 352, 272, 328 and 548 bits at p = 1 to 16.
  CHECK(settings_of(encoding_of(tiled(2)).choices(tiled(2), dims(64, 9), {})) == Numbers{1, 2, 4});
}

TEST_CASE("the p of a layer are multiples of the least, in any order that they are given in") {
  const ChoiceLimits limits{.factors = {6, 3, 2, 4}, .least_rows = 2};
  CHECK(settings_of(encoding_of(tiled(2)).choices(tiled(2), dims(24, 98), limits)) ==
        Numbers{2, 4, 6});
  CHECK(settings_of(encoding_of(tiled(2)).choices(tiled(2), dims(9, 9), limits)) == Numbers{3});
}

TEST_CASE("other settings of a tile stay, and p = 1 has no order") {
  const TiledWeights own{.p = 4, .alpha = AlphaScope::kLayer, .order = TileOrder::kInterleave};
  const auto choices = encoding_of(own).choices(own, dims(8, 9), {.factors = {1, 2}});
  REQUIRE(choices.size() == 2);
  CHECK(choices[0] == WeightEncoding(TiledWeights{.p = 1, .alpha = AlphaScope::kLayer}));
  CHECK(choices[1] == WeightEncoding(TiledWeights{
                          .p = 2, .alpha = AlphaScope::kLayer, .order = TileOrder::kInterleave}));
}

TEST_CASE("uniform layers choose among their bits") {
  CHECK(settings_of(encoding_of(uniform(8)).choices(uniform(8), dims(10, 9), {})) ==
        Numbers{4, 6, 8});
}
