// The space of a search: which layers have choices, and the networks that they make.
#include "search/space.h"

#include "support/catch.h"
#include "support/errors.h"
#include "tbn/error.h"

using namespace tbn;
using tbn::test::message_of;

namespace {

// conv 8 bits, two tiled layers, one of them too small for large p, and a float one.
Graph network() {
  GraphBuilder b("net");
  Value x = b.input({3, 8, 8});
  x = x.conv(32, {.kernel = 3, .weights = uniform(8)}).named("stem").batch_norm().relu();
  x = x.conv(64, {.kernel = 3, .weights = tiled(4)}).named("wide").batch_norm().relu();
  x = x.conv(8, {.kernel = 1, .weights = tiled(2)}).named("narrow").batch_norm().relu();
  return b.finish(x.global_avg_pool().linear(5).named("head"));
}

}  // namespace

TEST_CASE("the layers of a space are those with choices, the dearest first") {
  const SearchSpace space = search_space(network(), {});
  REQUIRE(space.layers.size() == 3);
  CHECK(space.layers[0].name == "stem");
  CHECK(space.layers[1].name == "wide");
  CHECK(space.layers[2].name == "narrow");
  CHECK(pick_text(space, space.dearest()) == "8/1/1");
  CHECK(pick_text(space, space.level(1)) == "6/2/2");
  CHECK(pick_text(space, space.cheapest()) == "4/16/2");
  CHECK(space.levels() == 5);
}

TEST_CASE("a pick makes a network, and its text names it") {
  const SearchSpace space = search_space(network(), {});
  const Pick pick = pick_of(space, "6/8/1", "here");
  const Graph graph = with_choices(space, pick);
  CHECK(*weights_of(graph.node(space.layers[0].node).op) == uniform(6));
  CHECK(*weights_of(graph.node(space.layers[1].node).op) == tiled(8));
  CHECK(*weights_of(graph.node(space.layers[2].node).op) == binary());
  CHECK(pick_text(space, pick) == "6/8/1");
  CHECK(with_choices(space, space.dearest()) == space.graph);
}

TEST_CASE("a text that names no pick is refused, whatever it holds") {
  const SearchSpace space = search_space(network(), {});
  for (const std::string text :
       {"", "6", "6/8", "6/8/", "6/8/1/", "6/8/1/1", "6/8/3", "7/8/1", "/8/1", "6//1", "a/8/1",
        "-6/8/1", "99999999999999999999/8/1", "6/8/1 ", "\x1b[2J"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(pick_of(space, text, "row 3"), DataError);
  }
  CHECK(message_of<DataError>([&] { pick_of(space, "6/8/3", "row 3"); }) ==
        "row 3: '6/8/3' names no network of this search");
}

TEST_CASE("layers that are fixed have no choice, and a name that fits none is a mistake") {
  const SearchSpace space = search_space(network(), {}, {"stem", "nar*"});
  REQUIRE(space.layers.size() == 1);
  CHECK(space.layers[0].name == "wide");
  CHECK(*weights_of(space.graph.nodes[1].op) == uniform(8));
  CHECK(message_of<ConfigError>([] {
          search_space(network(), {}, {"stem", "sten"});
        }) == "--fix: 'sten' matches no layer");
}

TEST_CASE("a network without choices is refused") {
  GraphBuilder b("plain");
  const Graph graph = b.finish(b.input({4}).linear(3).named("fc"));
  CHECK(message_of<ConfigError>([&] {
          search_space(graph, {});
        }).starts_with("network 'plain' has no layer with two choices"));
}

TEST_CASE("tiled layers have the least p first, and no p that stores no less than a smaller one") {
  using Numbers = std::vector<std::int64_t>;
  struct Case {
    std::int64_t outputs;
    std::int64_t inputs;
    AlphaScope alpha;
    Numbers factors;
    Numbers kept;
  };
  // n m / p bits and 32 p of scalars: 480, 288, 240, 312 and 540 for 64 x 7.
  const std::vector<Case> cases = {
      {64, 7, AlphaScope::kTile, {1, 2, 4, 8, 16}, {1, 2, 4}},
      {64, 7, AlphaScope::kTile, {16, 4, 8, 1, 2}, {1, 2, 4}},
      {64, 7, AlphaScope::kTile, {2, 8, 16}, {2}},
      {64, 7, AlphaScope::kTile, {1, 8, 16}, {1, 8}},
      {64, 7, AlphaScope::kLayer, {1, 2, 4, 8, 16}, {1, 2, 4, 8, 16}},
      {64, 7, AlphaScope::kOutput, {1, 2, 4, 8, 16}, {1, 2, 4, 8, 16}},
      {64, 64, AlphaScope::kTile, {1, 2, 4, 8, 16}, {1, 2, 4, 8}},  // 768 bits at 8 and at 16
      {64, 1, AlphaScope::kTile, {1, 2, 4}, {1}},                   // 96 bits at 1 and at 2
      {16, 1, AlphaScope::kTile, {1, 2, 4}, {1}},                   // 48, 72, 132
      {64, 512, AlphaScope::kTile, {4, 6, 8, 16}, {4, 8, 16}},
  };
  for (const Case& each : cases) {
    CAPTURE(each.outputs, each.inputs, each.factors);
    GraphBuilder b("net");
    const WeightEncoding weights = TiledWeights{.p = 1, .alpha = each.alpha};
    Value x = b.input({each.inputs}).linear(each.outputs, {.weights = weights}).named("fc");
    // So that there is something to search in any case.
    const Graph graph = b.finish(x.linear(10, {.weights = uniform(8)}).named("head"));
    const SearchSpace space = search_space(graph, {.factors = each.factors});
    Numbers kept = {each.kept.front()};
    if (space.layers.front().name == "fc") {
      kept.clear();
      for (const WeightEncoding& choice : space.layers.front().choices) {
        kept.push_back(main_setting(choice));
      }
    }
    CHECK(kept == each.kept);
  }
}

TEST_CASE("what a layer leaves open is settled choice by choice") {
  const SearchSpace space =
      search_space(network(), {}, {}, [](const Node& node, const LayerDims&, WeightEncoding& own) {
        auto* tile = std::get_if<TiledWeights>(&own);
        if (node.name == "wide" && tile->p > 1) tile->order = TileOrder::kInterleave;
      });
  const auto order = [&](std::size_t choice) {
    return std::get<TiledWeights>(space.layers[1].choices[choice]).order;
  };
  CHECK(order(0) == TileOrder::kRepeat);
  CHECK(order(1) == TileOrder::kInterleave);
}
